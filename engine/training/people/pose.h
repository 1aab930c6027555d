#pragma once

// What a body does at one moment of a clip: the movement of each action as numbers.

#include "engine/training/people/people.h"

namespace mirror::people {

struct Pose {
    double yaw = 0, pitch = 0, roll = 0;  // Radians, as in DrawnFace.
    double shift_x = 0, shift_y = 0;      // Of the head, in half heights of a head.
    double eye_openness = 1;              // Above 1: wide open.
    double eye_smile = 0;                 // 1: closed eyes are arcs upwards.
    double gaze_x = 0, gaze_y = 0;        // -1 to 1.
    double brow_raise = 0;                // -1 to 1.
    double brow_worry = 0;                // 1: inner ends up.
    double mouth_opening = 0;
    double mouth_round = 0;  // 1: an O.
    double smile = 0.4;      // -1 to 1.
    double hand_raise = 0;   // 0: not seen; 1: beside the head.
    double hand_angle = 0;   // Radians, of a wave.
    double hand_side = 1;    // -1: at the image's left.
};

// At `seconds` of a clip of `duration` seconds; `seed` chooses direction, size and beginning of the movement.
Pose pose_at(const SceneRequest& scene, double seconds, double duration);

inline constexpr double kGreatestYaw = 0.6;

}  // namespace mirror::people
