#pragma once

// Clips of drawn people: a scene in, frames and the exact position of the face out. Everything is a pure function of
// its arguments and safe to call from several threads. Standard library only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/training/people/identity.h"

namespace mirror::people {

enum class Action { Turn, Nod, Shake, Tilt, Blink, Smile, Laugh, Talk, Wave, Surprise };
enum class Place { Beach, Park, City, Forest, Snow, Desert, Library, Night, Stage, Room };
enum class Garment { TShirt, Shirt, Hoodie, Turtleneck, Jacket, Stripes, Scarf, Overalls };
enum class GarmentColour { Red, Orange, Yellow, Green, Blue, Purple, White, Black };
enum class Style { Cartoon, Soft, Ink, Neon };
enum class Camera { Still, PanLeft, PanRight, ZoomIn, ZoomOut, HandHeld };
enum class Light { Neutral, Warm, Cool, Dim };

inline constexpr int kActions = 10, kPlaces = 10, kGarments = 8, kGarmentColours = 8, kStyles = 4, kCameras = 6,
                     kLights = 4;

// Another number whenever a scene is drawn otherwise than before: what was made of drawn scenes is then made anew.
inline constexpr int kDrawingVersion = 1;

struct SceneRequest {
    Identity identity;
    Action action = Action::Smile;
    Place place = Place::Park;
    Garment garment = Garment::TShirt;
    GarmentColour colour = GarmentColour::Blue;
    Style style = Style::Cartoon;
    Camera camera = Camera::Still;
    Light light = Light::Neutral;
    int frames = 17;  // At least 1. A single frame shows the action at a moment that the seed chooses.
    int width = 96;   // Pixels, 32 to 4096. From 96 on a face is at least 64 high.
    int height = 96;
    double frames_per_second = 8.0;
    std::uint64_t seed = 0;  // Small differences: direction and size of the movement, layout of the place, framing.
    // A photograph to recognise the person by: the action and the camera are ignored, the person looks about at the
    // camera with a calm face.
    bool portrait = false;
};

// What is true of one frame, in pixels of that frame. Parts outside the frame are not cut off.
struct DrawnFace {
    FaceBox face;              // Chin to the top of the forehead; the score is 1.
    double visibility = 1;     // The share of the box that lies inside the frame.
    double yaw = 0;            // Radians, positive: the nose points to the image's right.
    double pitch = 0;          // Positive: down.
    double roll = 0;           // Positive: clockwise.
    double eye_openness = 1;   // 0 closed.
    double mouth_opening = 0;  // 0 closed, 1 wide open.
    double smile = 0;          // -1 to 1.
};

struct RenderedClip {
    int frames = 0;
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb;  // [frames, height, width, 3]
    std::vector<DrawnFace> faces;   // One a frame.

    const std::uint8_t* frame(int index) const {
        return rgb.data() + static_cast<std::size_t>(index) * static_cast<std::size_t>(width * height * 3);
    }
};

// EngineError (InvalidRequest) if a size or a number of frames is outside its limits.
RenderedClip render(const SceneRequest& scene);

// One frame of the same clip: what render() would put at `index`.
Frame render_frame(const SceneRequest& scene, int index);

// Ten of the hundred pairs of action and place are held out: each action and each place once.
bool is_held_out(Action action, Place place);

enum class Combinations { Seen, HeldOut, Any };

struct SceneOptions {
    Combinations combinations = Combinations::Seen;
    int frames = 17;
    int width = 96;
    int height = 96;
    // The share of scenes in each style other than Style::Cartoon, and of scenes with a moving camera.
    double other_style_share = 0.15;
    double moving_camera_share = 0.4;
};
inline constexpr double kMostOtherStyleShare = 1.0 / (kStyles - 1);

// A scene with everything chosen by `seed`. The first form also chooses one of the people of a split.
SceneRequest random_scene(std::uint64_t seed, Split split, const SceneOptions& options = {});
SceneRequest random_scene_of(std::uint64_t identity_seed, std::uint64_t seed, const SceneOptions& options = {});
// The same scene to the last leaf, with another action that the combinations allow in this place.
SceneRequest with_another_action(SceneRequest scene, Combinations combinations);

// A portrait of the same person with another pose, light, place and other clothes: a reference for a scene.
SceneRequest reference_portrait(std::uint64_t identity_seed, std::uint64_t seed, int size = 96);

}  // namespace mirror::people
