#include "tests/proof/proof_plan.h"

#include <array>
#include <cstdio>

#include "engine/training/people/caption.h"

namespace mirror::proof {

namespace {

constexpr std::uint64_t kSceneSeed = 7'000'000;  // Far from the seeds of pictures that are drawn while training.
constexpr std::array kStrengths{0.0, 0.25, 0.5, 0.75, 1.0, 1.25};

people::SceneOptions scene_options(const VideoSpec& video, people::Combinations combinations) {
    people::SceneOptions options;
    options.combinations = combinations;
    options.frames = video.frames;
    options.width = video.width;
    options.height = video.height;
    options.other_style_share = 0;
    return options;
}

std::string number_of(int value) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%03d", value);
    return text.data();
}

class Plan {
public:
    explicit Plan(const PlanOptions& options) : options_(options) {}

    std::vector<ProofClip> made() {
        add_main_groups();
        add_strengths();
        add_styles();
        add_held_out_combinations();
        return std::move(clips_);
    }

private:
    people::SceneRequest scene_of(int person, std::uint64_t seed, people::Combinations combinations) const {
        people::SceneRequest scene = people::random_scene_of(person_seed(person), kSceneSeed + seed,
                                                             scene_options(options_.video, combinations));
        scene.frames_per_second = static_cast<double>(options_.video.rate.numerator) / options_.video.rate.denominator;
        return scene;
    }
    bool is_full(int count) const { return options_.clips && count >= *options_.clips; }

    void add(const std::string& group, Source source, int person, const people::SceneRequest& scene, std::uint64_t seed,
             people::CaptionLength length, double strength = 1.0) {
        const bool with_person = source == Source::Adapter;
        ProofClip clip{group, "", source, person, strength, scene, "", seed};
        clip.name = number_of(person) + "-" + std::to_string(seed);
        clip.prompt = people::caption(scene, {seed, length, with_person, false});
        clips_.push_back(std::move(clip));
    }

    void add_main_groups() {
        for (const auto& [group, source] : {std::pair("real", Source::Drawn), std::pair("vae", Source::Autoencoder),
                                            std::pair("on", Source::Adapter), std::pair("off", Source::Base)}) {
            for (int i = 0; i < kPeople * kPrompts && !is_full(i); ++i) {
                const auto seed = static_cast<std::uint64_t>(i);
                const int person = i % kPeople;
                add(group, source, person, scene_of(person, seed, people::Combinations::Seen), seed,
                    people::CaptionLength::Short);
            }
        }
    }

    // The same prompts and noise at every strength.
    void add_strengths() {
        for (const double strength : kStrengths) {
            std::array<char, 32> group{};
            std::snprintf(group.data(), group.size(), "strength-%.2f", strength);
            for (int person = 0; person < kStrengthPeople && !is_full(person); ++person) {
                const auto seed = static_cast<std::uint64_t>(person);
                add(group.data(), Source::Adapter, person, scene_of(person, seed, people::Combinations::Seen), seed,
                    people::CaptionLength::Short, strength);
            }
        }
    }

    void add_styles() {
        for (int i = 0; i < people::kStyles * kStylePeople && !is_full(i); ++i) {
            const auto seed = static_cast<std::uint64_t>(1000 + i);
            const int person = i / people::kStyles;
            people::SceneRequest scene = scene_of(person, seed, people::Combinations::Seen);
            scene.style = static_cast<people::Style>(i % people::kStyles);
            add("styles", Source::Adapter, person, scene, seed, people::CaptionLength::Long);
        }
    }

    void add_held_out_combinations() {
        for (int i = 0; i < people::kActions * kCombinationClips && !is_full(i); ++i) {
            const auto seed = static_cast<std::uint64_t>(2000 + i);
            const int person = i % kPeople;
            people::SceneRequest scene = scene_of(person, seed, people::Combinations::HeldOut);
            scene.action = static_cast<people::Action>(i % people::kActions);
            for (int place = 0; place < people::kPlaces; ++place)
                if (people::is_held_out(scene.action, static_cast<people::Place>(place)))
                    scene.place = static_cast<people::Place>(place);
            add("held-out", Source::Adapter, person, scene, seed, people::CaptionLength::Short);
        }
    }

    const PlanOptions& options_;
    std::vector<ProofClip> clips_;
};

}  // namespace

std::uint64_t person_seed(int person) {
    return people::identity_seed(people::Split::Test, static_cast<std::uint64_t>(person));
}

std::vector<ProofClip> proof_plan(const PlanOptions& options) { return Plan(options).made(); }

}  // namespace mirror::proof
