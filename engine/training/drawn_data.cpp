#include "engine/training/drawn_data.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>

namespace mirror::engine::training {

namespace {

constexpr int kGap = 2;

// Every key; which of them a stage takes is for the caller.
DrawnOptions read_all(const ConfigReader& file) {
    file.refuse_unknown({"width", "height", "frames", "still_share", "crop", "face_crops", "items", "people", "styles",
                         "moving_camera", "combinations", "cache", "pairs"});
    DrawnOptions options;
    options.width = static_cast<int>(file.integer_or("width", options.width, 32, 1024));
    options.height = static_cast<int>(file.integer_or("height", options.height, 32, 1024));
    options.frames = static_cast<int>(file.integer_or("frames", options.frames, 1, 129));
    if (options.frames % 4 != 1) file.refuse("frames", "must be 1, 5, 9 and so on: one more than a multiple of 4");
    options.still_share = file.number_or("still_share", 0.0, 0.0, 1.0);
    options.crop = static_cast<int>(file.integer_or("crop", 0, 0, 1024));
    if (options.crop > std::min(options.width, options.height)) file.refuse("crop", "is larger than the pictures");
    options.face_crops = file.number_or("face_crops", options.face_crops, 0.0, 1.0);
    options.items = file.integer_or("items", 0, 0, 10'000'000);
    options.people = file.integer_or("people", 0, 0, std::int64_t{1} << 40);
    options.scenes.width = options.width;
    options.scenes.height = options.height;
    options.scenes.other_style_share =
        file.number_or("styles", options.scenes.other_style_share, 0.0, people::kMostOtherStyleShare);
    options.scenes.moving_camera_share = file.number_or("moving_camera", options.scenes.moving_camera_share, 0.0, 1.0);
    options.pairs = file.boolean_or("pairs", false);
    options.cache = file.text_or("cache", "");
    if (file.has("combinations") && file.choice("combinations", {"seen", "any"}) == "any")
        options.scenes.combinations = people::Combinations::Any;
    return options;
}

void refuse_all(const ConfigReader& file, std::initializer_list<const char*> keys, const std::string& why) {
    for (const char* key : keys)
        if (file.has(key)) file.refuse(key, why);
}

}  // namespace

DrawnOptions DrawnOptions::read(const ConfigReader& file) {
    refuse_all(file, {"items", "cache", "pairs"}, "is for stages that keep their clips, base and adapter");
    const DrawnOptions options = read_all(file);
    // An autoencoder gives back as many frames as it got only of these.
    if (options.frames % 8 != 1) file.refuse("frames", "must be 1, 9, 17 and so on: one more than a multiple of 8");
    return options;
}

DrawnOptions DrawnOptions::read_counted(const ConfigReader& file) {
    refuse_all(file, {"crop", "face_crops"}, "is for the stage vae alone");
    const DrawnOptions options = read_all(file);
    if (options.items == 0) file.refuse("items", "must say how many different clips there are");
    if (options.pairs && options.items % 2 == 1) file.refuse("items", "must be even with pairs");
    return options;
}

people::SceneRequest drawn_scene(const DrawnOptions& options, people::Split split, std::uint64_t seed,
                                 std::int64_t sample, int frames) {
    if (options.pairs && sample % 2 == 1)
        return people::with_another_action(drawn_scene(options, split, seed, sample - 1, frames),
                                           options.scenes.combinations);
    RandomStream random(seed, Purpose::Sample, static_cast<std::uint64_t>(sample));
    people::SceneOptions scenes = options.scenes;
    scenes.frames = frames;
    const std::uint64_t choice = random.bits();
    if (options.people == 0) return people::random_scene(choice, split, scenes);
    const auto person = static_cast<std::uint64_t>(random.below(options.people));
    return people::random_scene_of(people::identity_seed(split, person), choice, scenes);
}

DrawnClip draw(const people::SceneRequest& scene) {
    DrawnClip clip{scene, {}, {}};
    people::RenderedClip rendered = people::render(scene);
    clip.pixels = at::empty({rendered.frames, rendered.height, rendered.width, 3}, at::kByte);
    std::memcpy(clip.pixels.data_ptr(), rendered.rgb.data(), rendered.rgb.size());
    clip.pixels = clip.pixels.permute({3, 0, 1, 2}).contiguous();
    clip.faces = std::move(rendered.faces);
    return clip;
}

at::Tensor to_signal(const at::Tensor& pixels) { return pixels.to(at::kFloat).mul_(1.0 / 127.5).sub_(1.0); }

at::Tensor to_pixels(const at::Tensor& signal) {
    return signal.to(at::kFloat).add(1.0).mul_(127.5).round_().clamp_(0.0, 255.0).to(at::kByte);
}

Frame picture_grid(const std::vector<at::Tensor>& pictures, int columns) {
    if (pictures.empty()) return {};
    const auto height = static_cast<int>(pictures[0].size(1)), width = static_cast<int>(pictures[0].size(2));
    const int count = static_cast<int>(pictures.size()), rows = (count + columns - 1) / columns;
    Frame frame{columns * (width + kGap) - kGap, rows * (height + kGap) - kGap, {}};
    frame.rgb.assign(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height) * 3, 255);
    for (int i = 0; i < count; ++i) {
        const at::Tensor pixels =
            to_pixels(pictures[static_cast<std::size_t>(i)].to(at::kCPU)).permute({1, 2, 0}).contiguous();
        const auto* source = pixels.const_data_ptr<std::uint8_t>();
        const int left = i % columns * (width + kGap), top = i / columns * (height + kGap);
        for (int y = 0; y < height; ++y)
            std::memcpy(frame.row(top + y) + static_cast<std::ptrdiff_t>(left) * 3,
                        source + static_cast<std::ptrdiff_t>(y) * width * 3, static_cast<std::size_t>(width) * 3);
    }
    return frame;
}

}  // namespace mirror::engine::training
