#include "engine/training/people/camera.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

// Pixels of half a head. In a small picture the head takes more of it, so that a face stays 64 pixels high at 96.
double head_scale(int shorter_edge) {
    const double share = std::clamp(0.365 - (shorter_edge - 96) * (0.025 / 32), 0.34, 0.365);
    return share * shorter_edge;
}

struct Movement {
    double x = 0, y = 0;  // Of the picture's shorter edge; positive moves what is seen to the right and down.
    double zoom = 1;
    double angle = 0;
};

Movement movement_of(const SceneRequest& scene, double seconds, double progress) {
    constexpr double kPan = 0.11, kZoom = 0.16;
    constexpr double kTurn = 2 * std::numbers::pi;
    Random random(scene.seed, 15);
    const double phase_x = random.uniform(), phase_y = random.uniform();
    Movement movement;
    if (scene.portrait) return movement;
    switch (scene.camera) {
        case Camera::Still:
            break;
        case Camera::PanLeft:
            movement.x = kPan * (2 * progress - 1);
            break;
        case Camera::PanRight:
            movement.x = kPan * (1 - 2 * progress);
            break;
        case Camera::ZoomIn:
            movement.zoom = 1 + kZoom * progress;
            break;
        case Camera::ZoomOut:
            movement.zoom = 1 + kZoom * (1 - progress);
            break;
        case Camera::HandHeld:
            movement.x = 0.026 * std::sin(kTurn * (0.9 * seconds + phase_x)) +
                         0.01 * std::sin(kTurn * (2.1 * seconds + phase_y));
            movement.y = 0.022 * std::sin(kTurn * (1.1 * seconds + phase_y));
            movement.angle = 0.022 * std::sin(kTurn * (0.8 * seconds + phase_y));
            break;
    }
    return movement;
}

}  // namespace

Views views_at(const SceneRequest& scene, double seconds, double progress) {
    Random random(scene.seed, 16);
    const double edge = std::min(scene.width, scene.height);
    const double offset_x = random.uniform(-0.02, 0.02), offset_y = random.uniform(-0.01, 0.01),
                 nearer = random.uniform(1.0, 1.05);
    const Movement movement = movement_of(scene, seconds, progress);
    const Vec middle{0.5 * scene.width, 0.5 * scene.height};
    // High pictures leave more room for the body than for the sky.
    const double head_y = 0.48 * edge + 0.36 * (scene.height - edge);
    const auto camera = [&](double depth) {
        const Vec moved = middle + Vec{movement.x, movement.y} * (edge * depth);
        return Transform::placed(moved, 1 + (movement.zoom - 1) * std::min(1.0, 0.4 + 0.6 / depth), movement.angle) *
               Transform::placed(Vec{} - middle, 1);
    };
    const Vec head{middle.x + offset_x * edge, head_y + offset_y * edge};
    return {camera(0.5) * Transform::placed(head, nearer * head_scale(static_cast<int>(edge))),
            camera(1.3) * Transform::placed(middle, 0.5 * scene.height)};
}

}  // namespace mirror::people
