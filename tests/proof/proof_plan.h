#pragma once

// What the proof looks at: which clips, of whom, doing what, made how.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/training/people/people.h"

namespace mirror::proof {

inline constexpr int kPeople = 64;
inline constexpr int kPrompts = 2;  // Of each person.
inline constexpr int kCombinationClips = 3;
inline constexpr int kStylePeople = 8;
inline constexpr int kStrengthPeople = 16;

// Where a clip's frames come from.
enum class Source {
    Drawn,        // The renderer: what the prompt means.
    Autoencoder,  // The same through the model's autoencoder.
    Adapter,      // The model with the person's reference.
    Base          // The model without.
};

struct ProofClip {
    std::string group;  // "real", "vae", "on", "off", "strength-0.25", "styles", "held-out"
    std::string name;   // Of its file; unique in the group.
    Source source = Source::Adapter;
    int person = 0;  // Of the 64.
    double strength = 1.0;
    people::SceneRequest scene;
    std::string prompt;
    std::uint64_t seed = 0;
};

struct PlanOptions {
    VideoSpec video;
    std::optional<int> clips;  // Of each group, for a quick look.
};

std::uint64_t person_seed(int person);  // Of Split::Test.

std::vector<ProofClip> proof_plan(const PlanOptions& options);

}  // namespace mirror::proof
