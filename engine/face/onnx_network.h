#pragma once

// A published face network in an ONNX file, run by OpenCV: one picture in, some tables of numbers out.

#include <opencv2/core/mat.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/face/network_kind.h"

namespace mirror::face {

// One output as rows of numbers; exports differ in dimensions of 1 in front.
struct NetworkOutput {
    std::string name;
    cv::Mat rows;  // [rows, columns], float32. Empty if the output is anything else.
};

class OnnxNetwork {
public:
    // For pictures of side x side. `role` begins every sentence about the file: "The face detector". EngineError:
    // MissingFile, MalformedFile.
    OnnxNetwork(const std::filesystem::path& file, std::string role, int side);
    ~OnnxNetwork();

    NetworkKind kind() const { return kind_; }
    // Whether the network begins with its own normalisation, as some exports of ArcFace do.
    bool normalizes() const { return normalizes_; }

    // Of one picture [1, 3, side, side]. EngineError (MalformedFile) if the network cannot be run on it.
    std::vector<NetworkOutput> run(const cv::Mat& picture);

    [[noreturn]] void refuse(const std::string& what) const;

private:
    struct Loaded;

    std::filesystem::path file_;
    std::string role_;
    int side_;
    NetworkKind kind_ = NetworkKind::Unknown;
    bool normalizes_ = false;
    std::unique_ptr<Loaded> loaded_;
};

}  // namespace mirror::face
