#include "engine/training/people/pose.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/training/people/geometry.h"
#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

// What differs between two clips of one action.
struct Manner {
    double size;   // 0.85 to 1.15
    double side;   // -1 or 1
    double start;  // Seconds before the movement begins.
    double turns;  // Phase of a repeated movement, in turns.
    double rate;   // 0.9 to 1.1
    double rest_yaw, rest_pitch, rest_roll;
};

Manner manner_of(const SceneRequest& scene) {
    Random random(scene.seed, 11);
    Manner manner{};
    manner.size = random.uniform(0.85, 1.15);
    manner.side = random.chance(0.5) ? 1 : -1;
    manner.start = random.uniform(0.0, 0.12);
    manner.turns = random.uniform(0.0, 0.12);
    manner.rate = random.uniform(0.92, 1.08);
    manner.rest_yaw = random.uniform(-0.12, 0.12);
    manner.rest_pitch = random.uniform(-0.05, 0.05);
    manner.rest_roll = random.uniform(-0.05, 0.05);
    return manner;
}

double wave(double turns) { return std::sin(2 * std::numbers::pi * turns); }

// 0 to 1 within `rise` seconds from `start`, and it stays there.
double onset(double seconds, double start, double rise) { return smooth_step(start, start + rise, seconds); }

// From one side to the other and, in clips longer than a second and a half, back to the middle.
void turn(Pose& pose, const Manner& manner, double seconds, double duration) {
    const double length = std::max(duration, 0.5), at = seconds / length;
    const double sweep = duration > 1.5 ? std::cos(std::numbers::pi * 1.5 * smooth_step(0.05, 0.95, at))
                                        : std::cos(std::numbers::pi * smooth_step(0.05, 0.95, at));
    pose.yaw = -manner.side * std::clamp(0.5 * manner.size, 0.0, kGreatestYaw) * sweep;
    pose.gaze_x = -0.6 * manner.side * sweep;
}

void nod(Pose& pose, const Manner& manner, double seconds) {
    const double bow = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (manner.rate * seconds + manner.turns));
    pose.pitch += manner.size * (0.52 * bow - 0.16);
    // The eyes stay with the viewer.
    pose.gaze_y = -1.2 * pose.pitch;
    pose.smile = 0.35;
}

void shake(Pose& pose, const Manner& manner, double seconds) {
    pose.yaw = manner.side * 0.36 * manner.size * wave(1.25 * manner.rate * seconds + manner.turns + 0.25);
    pose.smile = -0.45;
    pose.brow_raise = -0.3;
    pose.brow_worry = 0.7;
}

void tilt(Pose& pose, const Manner& manner, double seconds) {
    pose.roll = manner.side * 0.34 * manner.size * wave(0.5 * manner.rate * seconds + manner.turns + 0.25);
    pose.shift_x = 0.28 * pose.roll;
    pose.smile = 0.3;
    pose.brow_raise = 0.25;
}

void blink(Pose& pose, const Manner& manner, double seconds) {
    const double turns = manner.rate * seconds + manner.turns;
    const double closed = smooth_step(0.0, 0.6, wave(turns - 0.2));
    pose.eye_openness = 1 - closed;
    pose.smile = 0.3;
}

void smile(Pose& pose, const Manner& manner, double seconds) {
    const double much = onset(seconds, manner.start, 0.55);
    pose.smile = mix(-0.1, 1.0, much);
    pose.mouth_opening = 0.42 * much;
    pose.eye_openness = 1 - 0.22 * much;
    pose.brow_raise = 0.2 * much;
    pose.pitch -= 0.05 * much;
}

void laugh(Pose& pose, const Manner& manner, double seconds) {
    const double much = onset(seconds, manner.start - 0.1, 0.3);
    const double bounce = wave(2 * manner.rate * seconds + manner.turns);
    pose.smile = mix(0.4, 1.0, much);
    pose.mouth_opening = much * (0.82 + 0.14 * bounce);
    pose.eye_openness = 1 - much;
    pose.eye_smile = much;
    pose.pitch -= 0.14 * much + 0.04 * bounce;
    pose.roll += 0.06 * manner.side * wave(0.7 * seconds);
    pose.shift_y = 0.05 * bounce * much;
    pose.brow_raise = 0.35 * much;
}

void talk(Pose& pose, const Manner& manner, double seconds) {
    const double turns = 1.7 * manner.rate * seconds + manner.turns;
    const double syllable = 0.5 + 0.5 * wave(turns), accent = 0.5 + 0.5 * wave(0.55 * turns + 0.3);
    pose.mouth_opening = 0.06 + 0.66 * syllable * mix(0.7, 1.0, accent);
    pose.mouth_round = 0.65 * (0.5 + 0.5 * wave(0.5 * turns + 0.1));
    pose.smile = 0.25;
    pose.pitch += 0.05 * wave(0.5 * turns);
    pose.brow_raise = 0.3 * accent;
}

void wave_hand(Pose& pose, const Manner& manner, double seconds) {
    pose.hand_raise = onset(seconds, -0.3, 0.45);
    pose.hand_side = manner.side;
    pose.hand_angle = 0.42 * manner.size * wave(1.2 * manner.rate * seconds + manner.turns);
    pose.shift_x = -0.17 * manner.side * pose.hand_raise;
    pose.roll -= 0.05 * manner.side;
    pose.smile = 0.75;
    pose.mouth_opening = 0.2;
}

void surprise(Pose& pose, const Manner& manner, double seconds) {
    const double much = onset(seconds, manner.start + 0.1, 0.25) * (0.96 + 0.04 * wave(1.5 * seconds));
    pose.eye_openness = 1 + 0.32 * much;
    pose.brow_raise = much;
    pose.mouth_opening = 0.95 * much;
    pose.mouth_round = much;
    pose.smile = 0;
    pose.pitch -= 0.12 * much;
    pose.shift_y = -0.06 * much;
}

Pose portrait_pose(const SceneRequest& scene) {
    Random random(scene.seed, 12);
    Pose pose;
    pose.yaw = random.uniform(-0.35, 0.35);
    pose.pitch = random.uniform(-0.1, 0.12);
    pose.roll = random.uniform(-0.08, 0.08);
    pose.smile = random.uniform(0.1, 0.8);
    pose.brow_raise = random.uniform(-0.2, 0.3);
    pose.eye_openness = random.uniform(0.9, 1.05);
    pose.gaze_x = -pose.yaw;
    return pose;
}

}  // namespace

Pose pose_at(const SceneRequest& scene, double seconds, double duration) {
    if (scene.portrait) return portrait_pose(scene);
    const Manner manner = manner_of(scene);
    Pose pose;
    pose.yaw = manner.rest_yaw;
    pose.pitch = manner.rest_pitch;
    pose.roll = manner.rest_roll;
    switch (scene.action) {
        case Action::Turn:
            turn(pose, manner, seconds, duration);
            break;
        case Action::Nod:
            nod(pose, manner, seconds);
            break;
        case Action::Shake:
            shake(pose, manner, seconds);
            break;
        case Action::Tilt:
            tilt(pose, manner, seconds);
            break;
        case Action::Blink:
            blink(pose, manner, seconds);
            break;
        case Action::Smile:
            smile(pose, manner, seconds);
            break;
        case Action::Laugh:
            laugh(pose, manner, seconds);
            break;
        case Action::Talk:
            talk(pose, manner, seconds);
            break;
        case Action::Wave:
            wave_hand(pose, manner, seconds);
            break;
        case Action::Surprise:
            surprise(pose, manner, seconds);
            break;
    }
    pose.yaw = std::clamp(pose.yaw, -kGreatestYaw, kGreatestYaw);
    return pose;
}

}  // namespace mirror::people
