#include "engine/training/judge_data.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/training/drawn_data.h"
#include "engine/training/judge_network.h"

namespace mirror::engine::training {

namespace {

constexpr int kSize = JudgeConfig::picture_size;
constexpr double kBlurChance = 0.7;
constexpr double kSmallestSide = 0.4;  // Of the picture's, when it is made small and large again.
constexpr double kGain = 0.08, kOffset = 0.06, kNoise = 0.06, kBlotches = 0.06;
constexpr std::int64_t kBlotchGrid = 12;

at::Tensor face_numbers(const people::DrawnFace& drawn) {
    const FaceBox& face = drawn.face;
    std::vector<float> numbers;
    for (const double value : {face.x0, face.y0, face.x1, face.y1})
        numbers.push_back(static_cast<float>(value / kSize));
    for (const Point& point : face.landmarks) {
        // Pixel centres are whole numbers, edges lie between them.
        numbers.push_back(static_cast<float>((point.x + 0.5) / kSize));
        numbers.push_back(static_cast<float>((point.y + 0.5) / kSize));
    }
    return at::tensor(numbers, at::kFloat);
}

people::SceneOptions scene_options(const JudgeData& data, int frames) {
    people::SceneOptions options;
    options.combinations = people::Combinations::Any;
    options.frames = frames;
    options.width = options.height = kSize;
    options.other_style_share = data.styles;
    return options;
}

struct Rows {
    std::vector<at::Tensor> pictures, faces, codes;
    std::vector<std::int64_t> classes, places, styles;

    void add(const people::SceneRequest& scene, std::int64_t person, double spoil, RandomStream& random) {
        const DrawnClip clip = draw(scene);
        const at::Tensor frames = to_signal(clip.pixels).permute({1, 0, 2, 3});
        pictures.push_back(spoiled(frames, spoil, random)[0]);
        faces.push_back(face_numbers(clip.faces[0]));
        codes.push_back(at::tensor(people::identity_code(scene.identity), at::kFloat));
        classes.push_back(person);
        places.push_back(static_cast<std::int64_t>(scene.place));
        styles.push_back(static_cast<std::int64_t>(scene.style));
    }
    JudgePictures batch() const {
        return {at::stack(pictures),
                at::stack(faces),
                at::stack(codes),
                at::tensor(classes, at::kLong),
                at::tensor(places, at::kLong),
                at::tensor(styles, at::kLong)};
    }
};

people::SceneRequest picture_scene(const JudgeData& data, std::uint64_t person, std::uint64_t choice, bool portrait) {
    if (portrait) return people::reference_portrait(person, choice, kSize);
    return people::random_scene_of(person, choice, scene_options(data, 1));
}

// A clip for every so many samples.
std::int64_t clips_before(const JudgeData& data, std::int64_t sample) {
    return (sample + data.pictures_per_clip - 1) / data.pictures_per_clip;
}

}  // namespace

JudgeData JudgeData::read(const ConfigReader& file) {
    file.refuse_unknown({"people", "frames", "pictures_per_clip", "portraits", "styles", "spoil"});
    JudgeData data;
    data.people = file.integer_or("people", data.people, 2, std::int64_t{1} << 24);
    data.frames = static_cast<int>(file.integer_or("frames", data.frames, 2, 129));
    data.pictures_per_clip = file.integer_or("pictures_per_clip", data.pictures_per_clip, 1, 65'536);
    data.portraits = file.number_or("portraits", data.portraits, 0.0, 1.0);
    data.styles = file.number_or("styles", data.styles, 0.0, people::kMostOtherStyleShare);
    data.spoil = file.number_or("spoil", data.spoil, 0.0, 4.0);
    return data;
}

JudgePictures judge_pictures(const JudgeData& data, people::Split split, const BatchPlace& place) {
    Rows rows;
    for (std::int64_t i = 0; i < place.count; ++i) {
        RandomStream random(place.seed, Purpose::Sample, static_cast<std::uint64_t>(place.sample(i)));
        const std::int64_t index = random.below(data.people);
        const std::uint64_t person = people::identity_seed(split, static_cast<std::uint64_t>(index));
        const std::uint64_t choice = random.bits();
        rows.add(picture_scene(data, person, choice, random.chance(data.portraits)), index, data.spoil, random);
    }
    return rows.batch();
}

JudgeClips judge_clips(const JudgeData& data, people::Split split, const BatchPlace& place) {
    std::vector<at::Tensor> clips;
    std::vector<std::int64_t> actions;
    const std::int64_t end = clips_before(data, place.sample(place.count));
    for (std::int64_t n = clips_before(data, place.sample(0)); n < end; ++n) {
        RandomStream random(place.seed, Purpose::Time, static_cast<std::uint64_t>(n));
        const auto index = static_cast<std::uint64_t>(random.below(data.people));
        const people::SceneRequest scene = people::random_scene_of(people::identity_seed(split, index), random.bits(),
                                                                   scene_options(data, data.frames));
        clips.push_back(spoiled(to_signal(draw(scene).pixels).permute({1, 0, 2, 3}), data.spoil, random));
        actions.push_back(static_cast<std::int64_t>(scene.action));
    }
    if (clips.empty()) return {};
    const std::int64_t whole =
        clips_before(data, place.first_sample + place.size) - clips_before(data, place.first_sample);
    return {at::stack(clips), at::tensor(actions, at::kLong), whole};
}

JudgePictures judge_gallery(const JudgeData& data, people::Split split, std::int64_t people, std::int64_t pictures) {
    Rows rows;
    for (std::int64_t i = 0; i < people * pictures; ++i) {
        RandomStream random(5, Purpose::Grid, static_cast<std::uint64_t>(i));
        const std::uint64_t person = people::identity_seed(split, static_cast<std::uint64_t>(i / pictures));
        rows.add(picture_scene(data, person, random.bits(), i % pictures + 1 < pictures), i / pictures, 0.0, random);
    }
    return rows.batch();
}

at::Tensor spoiled(const at::Tensor& frames, double strength, RandomStream& random) {
    if (strength <= 0) return frames.contiguous();
    at::Tensor x = frames;
    const std::int64_t height = x.size(2), width = x.size(3);
    if (random.chance(kBlurChance)) {
        const double scale = std::max(0.1, 1.0 - strength * random.uniform(0.0, 1.0 - kSmallestSide));
        const auto side = [&](std::int64_t pixels) {
            return std::max<std::int64_t>(1, std::llround(static_cast<double>(pixels) * scale));
        };
        x = at::_upsample_bilinear2d_aa(x.contiguous(), {side(height), side(width)}, false);
        x = at::upsample_bilinear2d(x, {height, width}, false);
    }
    at::Tensor gain = at::empty({3, 1, 1}), offset = at::empty({3, 1, 1});
    for (int c = 0; c < 3; ++c) {
        gain[c] = 1.0 + strength * random.uniform(-kGain, kGain);
        offset[c] = strength * random.uniform(-kOffset, kOffset);
    }
    x = x * gain + offset;
    // Blotches that stand still for the clip, and fine noise that does not.
    const at::Tensor coarse =
        random.normal({1, 3, kBlotchGrid, kBlotchGrid}) * (strength * random.uniform(0.0, kBlotches));
    x = x + at::upsample_bilinear2d(coarse, {height, width}, false);
    x = x + random.normal(x.sizes()) * (strength * random.uniform(0.0, kNoise));
    return x.clamp(-1.0, 1.0).contiguous();
}

}  // namespace mirror::engine::training
