#pragma once

// How a face is cut out of its picture: the five-point alignment of ArcFace, and the square crop for the vision tower.

#include <array>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/core/result.h"

namespace mirror::face {

// (x, y) -> (a x - b y + tx, b x + a y + ty).
struct Similarity {
    double a = 1;
    double b = 0;
    double tx = 0;
    double ty = 0;

    Point operator()(const Point& p) const { return {a * p.x - b * p.y + tx, b * p.x + a * p.y + ty}; }
};

// Where the landmarks belong in an aligned picture of `size` pixels, a multiple of 112 or of 128.
std::array<Point, 5> alignment_template(int size);

// The least-squares similarity without mirroring from `from` to `to`. Error (NoFaceFound): the points coincide or are
// not finite.
Result<Similarity> fit_similarity(const std::array<Point, 5>& from, const std::array<Point, 5>& to);

// Each output pixel is taken bilinearly from where `map` came from; outside the picture is black. Pixel centres are
// whole numbers.
Frame warp(const Frame& picture, const Similarity& map, int width, int height);

// The aligned face, size x size.
Result<Frame> align_face(const Frame& picture, const std::array<Point, 5>& landmarks, int size);

// A window of whole pixels; it may reach beyond the picture.
struct Window {
    int x = 0;
    int y = 0;
    int side = 0;
    friend bool operator==(const Window&, const Window&) = default;
};

// The square around the box, its side `expand` times the longer side of the box, shifted to lie inside where it fits.
// Error (InvalidRequest): `expand` is not positive or makes the square larger than a photograph may be.
Result<Window> square_window(const Frame& picture, const FaceBox& face, double expand);

// What the window shows; black beyond the picture.
Frame cut(const Frame& picture, const Window& window);

// One reference crop as the switch `ref_crop` names them, size x size.
Result<Frame> reference_crop(const Frame& picture, const FaceBox& face, ReferenceCrop crop, double expand, int size);

}  // namespace mirror::face
