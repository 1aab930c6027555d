#pragma once

// insightface's detectors of the SCRFD family (Guo et al., Sample and Computation Redistribution, 2021), as published
// in ONNX files, with and without landmarks.

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "engine/face/face_detector.h"

namespace mirror::face {

// Places landmarks where the network has none.
using PlaceLandmarks = std::function<std::array<Point, 5>(const Frame& picture, const FaceBox& face)>;

class ScrfdDetector : public FaceDetector {
public:
    // The file is read at first use. EngineError there: MissingFile, MalformedFile.
    ScrfdDetector(std::filesystem::path network, PlaceLandmarks place_landmarks);
    ~ScrfdDetector() override;

    // At the network's own size first, then smaller, for faces that fill the picture, at last with a grey margin.
    std::vector<FaceBox> detect(const Frame& picture) override;
    bool chooses_sizes() const override { return true; }

private:
    struct Network;
    Network& network();
    // The picture in the upper left corner of a black canvas, its long side `side` pixels.
    std::vector<FaceBox> detect_at(const Frame& picture, int side);
    std::vector<FaceBox> detect_with_margin(const Frame& picture);

    std::filesystem::path file_;
    PlaceLandmarks place_landmarks_;
    std::unique_ptr<Network> network_;
};

// The best of each group that overlaps by more than `most`, the highest score first. Edges belong to the boxes, as in
// insightface: a box from 0 to 3 is 4 wide.
std::vector<FaceBox> keep_best(std::vector<FaceBox> faces, double most);

}  // namespace mirror::face
