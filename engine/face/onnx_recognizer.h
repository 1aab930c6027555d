#pragma once

// The published recognisers that lie among the face models: insightface's ArcFace networks (512 numbers) and SFace of
// OpenCV's model zoo (128 numbers).

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/face/network_kind.h"

namespace mirror::face {

class OnnxNetwork;

class OnnxRecognizer : public InstalledRecognizer {
public:
    // `kind` is what the file is expected to be.
    OnnxRecognizer(std::filesystem::path file, NetworkKind kind);
    ~OnnxRecognizer() override;

    const std::filesystem::path& file() const override { return file_; }
    const std::string& id_pack() const override { return id_pack_; }
    Result<std::vector<std::vector<float>>> embed(std::span<const Frame> aligned) override;

private:
    std::vector<float> embed_one(const Frame& aligned);

    std::filesystem::path file_;
    NetworkKind kind_;
    std::string id_pack_;
    std::unique_ptr<OnnxNetwork> network_;
};

}  // namespace mirror::face
