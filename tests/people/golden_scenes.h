#pragma once

// The scenes of golden_scenes.txt, and what is kept of each.

#include <vector>

#include "engine/training/people/people.h"

namespace mirror::people_test {

inline std::vector<people::SceneRequest> golden_scenes() {
    std::vector<people::SceneRequest> scenes;
    for (int index = 0; index < 12; ++index) {
        people::SceneOptions options;
        options.combinations = people::Combinations::Any;
        auto scene = people::random_scene(static_cast<std::uint64_t>(index), people::Split::Test, options);
        scene.style = static_cast<people::Style>(index % people::kStyles);
        scene.action = static_cast<people::Action>(index % people::kActions);
        scene.place = static_cast<people::Place>(index % people::kPlaces);
        scene.garment = static_cast<people::Garment>(index % people::kGarments);
        scenes.push_back(scene);
    }
    return scenes;
}

// 12 x 12 blocks of 8 x 8 pixels of the ninth frame, three channels each.
inline std::vector<int> block_means(const people::SceneRequest& scene) {
    constexpr int kBlock = 8;
    const Frame frame = people::render_frame(scene, 8);
    std::vector<int> means;
    for (int top = 0; top < frame.height; top += kBlock) {
        for (int left = 0; left < frame.width; left += kBlock) {
            for (int channel = 0; channel < 3; ++channel) {
                int sum = 0;
                for (int y = top; y < top + kBlock; ++y) {
                    for (int x = left; x < left + kBlock; ++x) sum += frame.row(y)[3 * x + channel];
                }
                means.push_back((sum + kBlock * kBlock / 2) / (kBlock * kBlock));
            }
        }
    }
    return means;
}

}  // namespace mirror::people_test
