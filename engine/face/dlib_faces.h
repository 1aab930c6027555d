#pragma once

// dlib's two face models behind plain values; the only file that includes dlib is its source.

#include <array>
#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"

namespace mirror::face {

class DlibFaces {
public:
    DlibFaces();
    ~DlibFaces();
    DlibFaces(const DlibFaces&) = delete;
    DlibFaces& operator=(const DlibFaces&) = delete;

    // The detector's margin, 0 at its own threshold, as a score between 0 and 1, and back.
    static double score_of(double margin);
    static double margin_of(double score);

    // Boxes without landmarks, of at least `margin`.
    std::vector<FaceBox> boxes(const Frame& picture, double margin) const;

    // The 68 landmarks reduced to five: the middle of each eye, the tip of the nose, the mouth corners.
    std::array<Point, 5> landmarks(const Frame& picture, const FaceBox& box) const;

private:
    struct Models;
    std::shared_ptr<const Models> models_;
};

}  // namespace mirror::face
