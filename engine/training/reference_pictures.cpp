#include "engine/training/reference_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/training/jpeg_loss.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kAlignedSide = 112;
constexpr std::int64_t kLowestQuality = 60, kHighestQuality = 95;
constexpr double kCoarsest = 64.0 / 224, kFinest = 160.0 / 224;  // Sides of a small picture, of its own.
// Eyes, nose and corners of the mouth in an aligned face of 112 pixels (insightface, face_align.py).
constexpr std::array<std::array<double, 2>, 5> kTemplate{
    {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};
constexpr std::array<double, 3> kClipMean{0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, 3> kClipDeviation{0.26862954, 0.26130258, 0.27577711};

// Output pixel (x, y) is taken from (a x - b y + tx, b x + a y + ty) of the picture.
struct Map {
    double a = 1, b = 0, tx = 0, ty = 0;
};

// Least squares from `from` to `to`, without mirroring.
Map fitted(const std::array<std::array<double, 2>, 5>& from, const std::array<std::array<double, 2>, 5>& to) {
    std::array<double, 2> centre_from{}, centre_to{};
    for (std::size_t i = 0; i < from.size(); ++i) {
        for (std::size_t k = 0; k < 2; ++k) {
            centre_from[k] += from[i][k] / 5;
            centre_to[k] += to[i][k] / 5;
        }
    }
    double dot = 0, cross = 0, square = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const double x = from[i][0] - centre_from[0], y = from[i][1] - centre_from[1];
        const double u = to[i][0] - centre_to[0], v = to[i][1] - centre_to[1];
        dot += x * u + y * v;
        cross += x * v - y * u;
        square += x * x + y * y;
    }
    Map map;
    map.a = dot / std::max(square, 1e-9);
    map.b = cross / std::max(square, 1e-9);
    map.tx = centre_to[0] - map.a * centre_from[0] + map.b * centre_from[1];
    map.ty = centre_to[1] - map.b * centre_from[0] - map.a * centre_from[1];
    return map;
}

// picture [3, H, W] -> [3, side, side], bilinear, black outside.
at::Tensor sampled(const at::Tensor& picture, const Map& map, std::int64_t side) {
    const auto height = static_cast<double>(picture.size(1)), width = static_cast<double>(picture.size(2));
    const at::Tensor line = at::arange(side, picture.options().dtype(at::kFloat));
    const at::Tensor x = line.view({1, side}).expand({side, side}), y = line.view({side, 1}).expand({side, side});
    const at::Tensor from_x = map.a * x - map.b * y + map.tx, from_y = map.b * x + map.a * y + map.ty;
    const at::Tensor grid =
        at::stack({(2.0 * from_x + 1.0) / width - 1.0, (2.0 * from_y + 1.0) / height - 1.0}, 2).unsqueeze(0);
    // 1 is black here: the picture is shifted so that zeros outside mean black.
    return at::grid_sampler(picture.unsqueeze(0) + 1.0, grid, 0, 0, /*align_corners=*/false)[0] - 1.0;
}

std::array<std::array<double, 2>, 5> as_numbers(const std::array<Point, 5>& points) {
    std::array<std::array<double, 2>, 5> numbers{};
    for (std::size_t i = 0; i < points.size(); ++i) numbers[i] = {points[i].x, points[i].y};
    return numbers;
}

// The square around the face, turned, scaled and shifted by chance.
Map crop_map(const FaceBox& face, std::int64_t size, double expand, const ReferenceChanges& changes,
             RandomStream& random) {
    double side = expand * std::max(face.x1 - face.x0, face.y1 - face.y0);
    side *= 1.0 + random.uniform(-changes.scale, changes.scale);
    const double centre_x = (face.x0 + face.x1) / 2 + side * random.uniform(-changes.shift, changes.shift);
    const double centre_y = (face.y0 + face.y1) / 2 + side * random.uniform(-changes.shift, changes.shift);
    const double angle = random.uniform(-changes.rotate, changes.rotate), scale = side / static_cast<double>(size);
    Map map;
    map.a = scale * std::cos(angle);
    map.b = scale * std::sin(angle);
    const double middle = static_cast<double>(size - 1) / 2;
    map.tx = centre_x - map.a * middle + map.b * middle;
    map.ty = centre_y - map.b * middle - map.a * middle;
    return map;
}

// Made smaller and as large again.
at::Tensor coarser(const at::Tensor& picture, double kept) {
    const auto side = std::max<std::int64_t>(8, std::llround(static_cast<double>(picture.size(1)) * kept));
    const at::Tensor small = at::_upsample_bilinear2d_aa(picture.unsqueeze(0), {side, side}, false);
    return at::_upsample_bilinear2d_aa(small, {picture.size(1), picture.size(2)}, false)[0];
}

at::Tensor clip_normalised(const at::Tensor& signal) {
    std::array<float, 3> mean{}, deviation{};
    std::copy(kClipMean.begin(), kClipMean.end(), mean.begin());
    std::copy(kClipDeviation.begin(), kClipDeviation.end(), deviation.begin());
    return ((signal + 1.0) / 2.0 - at::tensor(mean).view({3, 1, 1})) / at::tensor(deviation).view({3, 1, 1});
}

}  // namespace

at::Tensor aligned_face(const at::Tensor& picture, const std::array<Point, 5>& landmarks) {
    return sampled(picture, fitted(kTemplate, as_numbers(landmarks)), kAlignedSide);
}

ReferencePictures reference_pictures(const DrawnClip& clip, std::int64_t frame, std::int64_t crop_size, double expand,
                                     const ReferenceChanges& changes, RandomStream& random) {
    return reference_pictures(to_signal(clip.pixels.select(1, frame)), clip.faces[static_cast<std::size_t>(frame)].face,
                              crop_size, expand, changes, random);
}

ReferencePictures reference_pictures(const at::Tensor& from, const FaceBox& face, std::int64_t crop_size, double expand,
                                     const ReferenceChanges& changes, RandomStream& random) {
    at::Tensor picture = from;
    at::Tensor gains = at::empty({3, 1, 1});
    for (int c = 0; c < 3; ++c) gains[c] = 1.0 + random.uniform(-changes.colour, changes.colour);
    picture = ((picture + 1.0) * gains).clamp(0.0, 2.0) - 1.0;
    if (changes.jpeg > 0 && random.chance(changes.jpeg)) {
        const std::int64_t quality = kLowestQuality + random.below(kHighestQuality - kLowestQuality + 1);
        picture = jpeg_loss(picture, static_cast<int>(quality));
    }
    at::Tensor aligned = aligned_face(picture, face.landmarks);
    // A picture that is much larger than the crop loses its finest detail first, as a resize would do it.
    at::Tensor crop = sampled(picture, crop_map(face, crop_size, expand, changes, random), crop_size);
    if (random.chance(changes.flip)) {
        aligned = aligned.flip(2);
        crop = crop.flip(2);
    }
    if (changes.coarse > 0 && random.chance(changes.coarse)) {
        const double kept = random.uniform(kCoarsest, kFinest);
        aligned = coarser(aligned, kept);
        crop = coarser(crop, kept);
    }
    return {aligned.contiguous(), clip_normalised(crop).contiguous()};
}

}  // namespace mirror::engine::training
