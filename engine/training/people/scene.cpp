// Scenes by chance: which combinations occur, and how often.

#include "engine/training/people/people.h"
#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

Style random_style(Random& random, double other_share) {
    return random.chance(other_share * (kStyles - 1)) ? static_cast<Style>(1 + random.below(kStyles - 1))
                                                      : Style::Cartoon;
}

Camera random_camera(Random& random, double moving_share) {
    return random.chance(moving_share) ? static_cast<Camera>(1 + random.below(kCameras - 1)) : Camera::Still;
}

void choose_looks(Random& random, SceneRequest& scene) {
    static constexpr double kLightWeights[kLights] = {4, 1.3, 1.3, 0.7};
    scene.garment = random.any<Garment>(kGarments);
    scene.colour = random.any<GarmentColour>(kGarmentColours);
    scene.light = static_cast<Light>(random.weighted(kLightWeights));
}

bool fits(Action action, Place place, Combinations combinations) {
    if (combinations == Combinations::Any) return true;
    return is_held_out(action, place) == (combinations == Combinations::HeldOut);
}

}  // namespace

bool is_held_out(Action action, Place place) {
    // 3 and 7 have no common divisor with 10, so every row and every column of the table has one such pair.
    return (3 * static_cast<int>(action) + 7 * static_cast<int>(place)) % 10 == 0;
}

SceneRequest random_scene_of(std::uint64_t identity_seed, std::uint64_t seed, const SceneOptions& options) {
    Random random(seed, 21);
    SceneRequest scene;
    scene.identity = identity_of(identity_seed);
    do {
        scene.action = random.any<Action>(kActions);
        scene.place = random.any<Place>(kPlaces);
    } while (!fits(scene.action, scene.place, options.combinations));
    choose_looks(random, scene);
    scene.style = random_style(random, options.other_style_share);
    scene.camera = random_camera(random, options.moving_camera_share);
    scene.frames = options.frames;
    scene.width = options.width;
    scene.height = options.height;
    scene.seed = random.bits();
    return scene;
}

SceneRequest with_another_action(SceneRequest scene, Combinations combinations) {
    Random random(scene.seed, 24);
    const Action before = scene.action;
    do {
        scene.action = random.any<Action>(kActions);
    } while (scene.action == before || !fits(scene.action, scene.place, combinations));
    return scene;
}

SceneRequest random_scene(std::uint64_t seed, Split split, const SceneOptions& options) {
    Random random(seed, 22);
    // Far more people than any run sees; 2^40 keeps the index of every split within 64 bits.
    const std::uint64_t index = random.bits() >> 24;
    return random_scene_of(identity_seed(split, index), random.bits(), options);
}

SceneRequest reference_portrait(std::uint64_t identity_seed, std::uint64_t seed, int size) {
    Random random(seed, 23);
    SceneRequest scene;
    scene.identity = identity_of(identity_seed);
    scene.portrait = true;
    scene.place = random.any<Place>(kPlaces);
    choose_looks(random, scene);
    scene.frames = 1;
    scene.width = scene.height = size;
    scene.seed = random.bits();
    return scene;
}

}  // namespace mirror::people
