#pragma once

// The models of one run: loaded when a stage asks for them, or taken from what an earlier run left; gone after the
// stage, or left for the next run, as the memory plan says.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/latent_colours.h"
#include "engine/session/memory_plan.h"
#include "engine/session/model_folder.h"
#include "engine/session/people.h"

namespace mirror::engine {

// Null if nobody wants previews.
using SharedColours = std::shared_ptr<const LatentColours>;

// What stays between the runs of a session. One checkpoint at one precision on one device, with one adapter.
class ModelShelf {
public:
    explicit ModelShelf(Keeping keeping) : keeping_(keeping) {}

    // Lets go what was made of other files, or of these files before they changed, or for another placement.
    void use(const ModelFolder& folder);
    void use_adapter(const std::filesystem::path& adapter);
    void clear();

    Keeping keeping() const { return keeping_; }
    std::uint64_t held_bytes() const { return held_bytes_; }

private:
    friend class RunModels;

    Keeping keeping_;
    std::string checkpoint_;  // Placement, and path, size and time of every file.
    std::string adapter_file_;
    std::uint64_t held_bytes_ = 0;  // Of copies; weights that alias their file are the machine's to take back.
    std::shared_ptr<const T5Encoder> text_encoder_;
    std::shared_ptr<const cogvideox::Transformer> transformer_;
    std::shared_ptr<const magic_mirror::CrossModalAdapter> adapter_;
    std::shared_ptr<const CogVideoXVae> decoder_;
    SharedColours colours_;
    std::map<std::string, std::vector<ReferenceFace>> references_;
    std::map<std::string, PersonFeatures> people_;
};

// What a person's features depend on beside the checkpoint.
struct PersonSource {
    std::vector<ReferencePhoto> photos;
    std::filesystem::path adapter;
    std::string id_pack;
};

class RunModels {
public:
    // `folder` and `shelf` outlive the run.
    RunModels(const ModelFolder& folder, ModelShelf& shelf) : folder_(folder), shelf_(shelf) { shelf.use(folder); }

    // Before the first model. A shelf that is in the way is cleared. EngineError (OutOfMemory).
    void plan(const MemoryEstimate& estimate, std::uint64_t budget);
    void plan(const StageMemory& decoding, std::uint64_t budget);

    const ModelFolder& folder() const { return folder_; }
    const MemoryPlan& memory() const { return plan_; }

    std::shared_ptr<const T5Encoder> text_encoder();
    std::shared_ptr<const cogvideox::Transformer> transformer();
    std::shared_ptr<const magic_mirror::CrossModalAdapter> adapter(const magic_mirror::AdapterFile& file);
    std::shared_ptr<const CogVideoXVae> decoder();
    SharedColours colours();
    // Both read once for the same pictures, where the session keeps its models: the shots of a story share them.
    std::vector<ReferenceFace> references(const PersonSource& source,
                                          const std::function<std::vector<ReferenceFace>()>& read);
    PersonFeatures person(const PersonSource& source, const std::function<PersonFeatures()>& read);

private:
    template <typename Model, typename Load>
    std::shared_ptr<const Model> get(std::shared_ptr<const Model>& slot, bool stays, const Load& load);
    template <typename Value>
    Value get(std::map<std::string, Value>& known, const PersonSource& source, const std::function<Value()>& read);
    template <typename Estimate>
    void plan_on_shelf(const Estimate& estimate, std::uint64_t budget);
    void count_held();

    const ModelFolder& folder_;
    ModelShelf& shelf_;
    MemoryPlan plan_;
    MemoryEstimate estimate_;
};

}  // namespace mirror::engine
