#pragma once

// insightface's detectors of the SCRFD family (Guo et al., Sample and Computation Redistribution, 2021), as published
// in ONNX files, with and without landmarks.

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "engine/face/canvas_detector.h"

namespace mirror::face {

class OnnxNetwork;

// Places landmarks where the network has none.
using PlaceLandmarks = std::function<std::array<Point, 5>(const Frame& picture, const FaceBox& face)>;

class ScrfdDetector : public CanvasDetector {
public:
    // The file is read at first use. EngineError there: MissingFile, MalformedFile.
    ScrfdDetector(std::filesystem::path network, PlaceLandmarks place_landmarks);
    ~ScrfdDetector() override;

protected:
    std::vector<FaceBox> detect_on(const Frame& canvas) override;
    void complete(const Frame& picture, std::vector<FaceBox>& faces) override;

private:
    std::filesystem::path file_;
    PlaceLandmarks place_landmarks_;
    std::unique_ptr<OnnxNetwork> network_;
    bool has_landmarks_ = true;
};

}  // namespace mirror::face
