#pragma once

// Which face recogniser makes a run's identity vectors: the checkpoint's own, or one that is installed among the face
// models. An adapter understands the vectors of one embedding space (`id_pack`) only.

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/session/model_folder.h"

namespace mirror::engine {

class RecognizerChoice {
public:
    // The checkpoint's recognizer/ if its embedding space is the adapter's, else the installed recogniser of that space
    // (or the one whose file has the adapter's `id_pack_sha256`). Without either the one that is there, so that opening
    // the adapter names both spaces. EngineError (MissingFile) says what to install; errors of the adapter's file.
    static RecognizerChoice make(const ModelFolder& folder, FaceReader& faces, const std::filesystem::path& adapter);

    // The embedding space of what was chosen.
    const std::string& id_pack() const { return id_pack_; }

    // Raw vectors [N, numbers] of aligned faces, computed in float32 whatever the run's precision is, then in its dtype
    // and on its device. EngineError (ShapeMismatch) if they are not `numbers` long.
    at::Tensor embed(const ModelFolder& folder, const std::vector<Frame>& aligned, std::int64_t numbers) const;

private:
    std::string id_pack_;
    std::shared_ptr<InstalledRecognizer> installed_;  // Null: the checkpoint's own.
};

}  // namespace mirror::engine
