#include "engine/session/recognizer_choice.h"

#include <algorithm>

#include "engine/core/utf8.h"
#include "engine/formats/sha256.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine {

namespace {

using Installed = std::vector<std::shared_ptr<InstalledRecognizer>>;

struct Wanted {
    std::string id_pack;
    std::string sha256;  // Empty if the adapter does not say it.
};

Wanted wanted_by(const std::filesystem::path& adapter) {
    WeightStoreOptions options;
    options.same_metadata = true;
    const formats::Metadata metadata = WeightStore::open(adapter, "adapter", options)->metadata();
    const auto field = [&](const char* name) {
        const auto found = metadata.find(name);
        return found == metadata.end() ? std::string() : found->second;
    };
    return {field("id_pack"), field("id_pack_sha256")};
}

std::string file_sha256(const std::filesystem::path& file) {
    formats::Sha256 hash;
    hash.update(value_or_throw(MappedFile::open(file))->bytes());
    return hash.hex_digest();
}

// Files of an unknown name are known by their content, if the adapter says what it is.
std::shared_ptr<InstalledRecognizer> find(const Installed& installed, const Wanted& wanted) {
    for (const auto& each : installed)
        if (each->id_pack() == wanted.id_pack) return each;
    if (wanted.sha256.empty()) return nullptr;
    for (const auto& each : installed)
        if (file_sha256(each->file()) == wanted.sha256) return each;
    return nullptr;
}

}  // namespace

RecognizerChoice RecognizerChoice::make(const ModelFolder& folder, FaceReader& faces,
                                        const std::filesystem::path& adapter) {
    const Wanted wanted = wanted_by(adapter);
    RecognizerChoice choice;
    const bool has_own = folder.has("recognizer");
    if (has_own) choice.id_pack_ = folder.recognizer_config().id_pack;
    // Without the mandatory field opening the adapter says so.
    if (wanted.id_pack.empty() || choice.id_pack_ == wanted.id_pack) return choice;
    const Installed installed = faces.recognizers();
    if (const auto found = find(installed, wanted)) {
        choice.installed_ = found;
        choice.id_pack_ = wanted.id_pack;
        return choice;
    }
    if (has_own) return choice;
    if (installed.empty())
        throw EngineError(ErrorCode::MissingFile,
                          "the adapter needs the face recogniser " + escape_for_message(wanted.id_pack, 64) +
                              ": put its ONNX file into the folder that MIRROR_FACE_MODELS names, or a recognizer/ "
                              "into the checkpoint");
    choice.installed_ = installed.front();
    choice.id_pack_ = choice.installed_->id_pack();
    return choice;
}

at::Tensor RecognizerChoice::embed(const ModelFolder& folder, const std::vector<Frame>& aligned,
                                   std::int64_t numbers) const {
    const Placement& placement = folder.placement();
    at::Tensor vectors;
    if (installed_) {
        std::vector<at::Tensor> rows;
        for (const std::vector<float>& row : value_or_throw(installed_->embed(aligned)))
            rows.push_back(at::tensor(row, at::kFloat));
        vectors = at::stack(rows);
    } else {
        const ModelFolder exact(folder.path(), {at::kFloat, placement.device}, WeightCheck::Finite, folder.stop());
        vectors = exact.recognizer().embed(aligned);
    }
    if (vectors.size(1) != numbers)
        throw EngineError(ErrorCode::ShapeMismatch, "the face recogniser " + escape_for_message(id_pack_, 64) +
                                                        " gives " + std::to_string(vectors.size(1)) +
                                                        " numbers a face, but the adapter's id_dim is " +
                                                        std::to_string(numbers));
    return vectors.to(placement.device, placement.dtype);
}

}  // namespace mirror::engine
