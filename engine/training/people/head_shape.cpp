#include "engine/training/people/head_shape.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mirror::people {

namespace {

constexpr double kDepth = 0.72;      // Of the ellipsoid, from its middle to the nose's root.
constexpr double kForehead = -0.85;  // Where a face box begins.
constexpr double kChinReach = 0.27;  // How far the chin swings with the head.
constexpr double kCrownReach = -0.05;

}  // namespace

HeadShape::HeadShape(const Identity& identity, const Pose& pose)
    : sine_yaw_(std::sin(pose.yaw)),
      cosine_yaw_(std::cos(pose.yaw)),
      sine_pitch_(std::sin(pose.pitch)),
      cosine_pitch_(std::cos(pose.pitch)) {
    const bool child = identity.age == Age::Child, male = identity.sex == Sex::Male;
    half_width = 0.88 + 0.065 * identity.trait(Trait::FaceWidth) + (child ? 0.03 : 0);
    jaw = (male ? 0.95 : 0.89) + 0.075 * identity.trait(Trait::JawWidth);
    chin = 1.02 + 0.065 * identity.trait(Trait::ChinLength) - (child ? 0.05 : 0);
    const double eyes = (1 + 0.16 * identity.trait(Trait::EyeSize)) * (child ? 1.1 : 1.0) *
                        (identity.age == Age::Elder ? 0.9 : 1.0) * (male ? 0.97 : 1.03);
    eye_half_width = 0.195 * eyes;
    eye_half_height = 0.212 * eyes;
    eye_x = 0.365 + 0.04 * identity.trait(Trait::EyeSpacing);
    eye_y = 0.03 + 0.045 * identity.trait(Trait::EyeHeight) + (child ? 0.05 : 0);
    eye_slant = 0.24 * identity.trait(Trait::EyeSlant);
    brow_y = eye_y - 0.335 - 0.045 * identity.trait(Trait::BrowHeight);
    nose_y = 0.35 + 0.045 * identity.trait(Trait::NoseHeight);
    mouth_y = 0.665 + 0.04 * identity.trait(Trait::MouthHeight);
    mouth_half_width = 0.26 + 0.06 * identity.trait(Trait::MouthWidth);
}

Vec HeadShape::at(double x, double y, double lift) const {
    const double u = x / (half_width * 1.04), v = y / 1.12;
    const double z = kDepth * lift * std::sqrt(std::max(0.0, 1 - u * u - v * v));
    const double turned_x = x * cosine_yaw_ + z * sine_yaw_, turned_z = z * cosine_yaw_ - x * sine_yaw_;
    return {turned_x, y * cosine_pitch_ + turned_z * sine_pitch_};
}

Path HeadShape::placed(Path front, double lift) const {
    for (Vec& point : front.points) point = at(point, lift);
    return front;
}

Vec HeadShape::outline_point(double x, double y) const {
    const double low = smooth_step(0.1, 1.0, y), high = smooth_step(0.0, 1.0, -y);
    const double swing = sine_yaw_ * (kChinReach * low + kCrownReach * high);
    // The far cheek flattens, the near one fills.
    const double cheek = -0.05 * sine_yaw_ * smooth_step(0.5, 0.9, std::abs(x) / half_width) * (y > 0 ? 1 : 0);
    return {x + swing + cheek, y + sine_pitch_ * 0.16 * low};
}

Path HeadShape::outline() const {
    const double w = half_width;
    std::vector<Vec> right = {{0, -1},
                              {0.54 * w, -0.88},
                              {0.9 * w, -0.5},
                              {1.0 * w, 0.0},
                              {w * jaw, 0.42},
                              {0.74 * w * jaw, 0.77},
                              {0.36 * w * jaw, 0.955 * chin},
                              {0, chin}};
    Path path = blob(with_mirror_images(std::move(right)));
    for (Vec& point : path.points) point = outline_point(point.x, point.y);
    return path;
}

Path HeadShape::face_area() const {
    Path path = outline();
    for (Vec& point : path.points) point.y = std::max(point.y, kForehead);
    return path;
}

Vec HeadShape::behind(double depth) const { return {-0.2 * depth * sine_yaw_, -0.12 * depth * sine_pitch_}; }

std::array<Vec, 5> HeadShape::landmarks(double smile) const {
    const double corner_y = mouth_y - 0.06 * smile, corner_x = mouth_half_width * (1 + 0.2 * std::max(smile, 0.0));
    return {at(-eye_x, eye_y), at(eye_x, eye_y), at(0, nose_y, 1.15), at(-corner_x, corner_y), at(corner_x, corner_y)};
}

}  // namespace mirror::people
