#pragma once

// The form of one person's head in one pose. Drawing coordinates: the middle of the skull is the origin, half its
// height is 1. Features are placed as seen from the front and then turned on an ellipsoid, which gives the parallax.

#include <array>

#include "engine/training/people/path.h"
#include "engine/training/people/people.h"
#include "engine/training/people/pose.h"

namespace mirror::people {

class HeadShape {
public:
    HeadShape(const Identity& identity, const Pose& pose);

    // Where a point of the front view comes to lie. `lift` above 1 is in front of the skin: a nose.
    Vec at(double x, double y, double lift = 1) const;
    Vec at(Vec front, double lift = 1) const { return at(front.x, front.y, lift); }
    // All points of a path, given in the front view.
    Path placed(Path front, double lift = 1) const;

    // The skin's outline, and the lower part of it that a beard follows.
    Path outline() const;
    // A point of the outline seen from the front, moved as the outline is by the turn.
    Vec outline_point(double x, double y) const;
    // How far what is behind the head moves against a turn; `depth` 1 is the back of the skull.
    Vec behind(double depth) const;

    // The landmarks of DrawnFace in drawing coordinates.
    std::array<Vec, 5> landmarks(double smile) const;
    Path face_area() const;  // The outline from the top of the forehead down.

    double half_width = 0.9;  // Of the skull, at the ears.
    double jaw = 0.94;        // Width at the jaw, of half_width.
    double chin = 1.02;
    double eye_x = 0.365, eye_y = 0.03;
    double eye_half_width = 0.19, eye_half_height = 0.2, eye_slant = 0;
    double brow_y = -0.28;
    double nose_y = 0.34;
    double mouth_y = 0.665;
    double mouth_half_width = 0.26;

private:
    double sine_yaw_, cosine_yaw_, sine_pitch_, cosine_pitch_;
};

}  // namespace mirror::people
