#pragma once

// What detectors by network share: the square canvas that the network sees, the sizes that are tried, and the choice
// among boxes that overlap.

#include <vector>

#include "engine/face/face_detector.h"

namespace mirror::face {

inline constexpr int canvas_side = 640;

// Of boxes that overlap by more than `most`, the best one stays.
struct OverlapRule {
    double most = 0.4;
    double edge = 0;  // What is added to widths and heights: 1 where the last pixel belongs to a box.
};

class CanvasDetector : public FaceDetector {
public:
    explicit CanvasDetector(const OverlapRule& rule) : rule_(rule) {}

    // At the network's own size first, then smaller, for faces that fill the picture, at last with a grey margin.
    std::vector<FaceBox> detect(const Frame& picture) final;
    bool chooses_sizes() const final { return true; }

protected:
    // Every find on a canvas of canvas_side x canvas_side, in its pixels.
    virtual std::vector<FaceBox> detect_on(const Frame& canvas) = 0;
    // Called with what is left, for networks without landmarks.
    virtual void complete(const Frame&, std::vector<FaceBox>&) {}

private:
    // The picture in the upper left corner of a black canvas, its long side `side` pixels.
    std::vector<FaceBox> detect_at(const Frame& picture, int side);
    std::vector<FaceBox> detect_with_margin(const Frame& picture);

    OverlapRule rule_;
};

// The best of each group that overlaps, the highest score first, at most 1,000.
std::vector<FaceBox> keep_best(std::vector<FaceBox> faces, const OverlapRule& rule);

bool is_finite(const FaceBox& face);

}  // namespace mirror::face
