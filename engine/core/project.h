#pragma once

// A film in the making: who plays in it, and its shots in order. What the window edits, what `NAME.mirror` holds
// (engine/session/project_file.h), and what `magic-mirror story` runs.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/request.h"
#include "engine/core/result.h"

namespace mirror {

// The files of the references are relative to the project's folder and never leave it: see check_project_path().
struct Character {
    std::string name;  // Each once.
    std::vector<ReferencePhoto> references;
    friend bool operator==(const Character&, const Character&) = default;
};

// What a shot may say for itself, and the project for all shots; what neither says is the model's.
struct ShotSettings {
    std::optional<int> frames;
    std::optional<int> steps;
    std::optional<double> guidance;
    std::optional<IdentityStrength> identity;
    std::optional<std::string> negative;
    friend bool operator==(const ShotSettings&, const ShotSettings&) = default;
};

struct Shot {
    std::string name;  // For people; may be empty.
    std::string prompt;
    std::string character;  // A name of the cast; empty: nobody in particular.
    std::uint64_t seed = 0;
    ShotSettings settings;
    friend bool operator==(const Shot&, const Shot&) = default;
};

struct Project {
    std::string title;
    std::vector<Character> characters;
    std::vector<Shot> shots;
    ShotSettings defaults;
    std::optional<std::pair<int, int>> size;  // Width and height of every shot, pixels.
    std::optional<int> frames_per_second;     // Of every shot.
    friend bool operator==(const Project&, const Project&) = default;

    const Character* find_character(const std::string& name) const;  // Null if there is none.
};

// Names, ranges and references among the parts; no file is touched. The message names the place ("shots[2].steps").
Status check_project(const Project& project);

// Whether a text may name a file of a project: UTF-8, parts of ordinary characters between slashes, none of them "." or
// "..", nothing absolute. `place` begins the message.
Status check_project_path(const std::string& path, const std::string& place);

// The request of one shot: `model_defaults` with what project and shot say put over it, and the character's files below
// `folder`. A shot without a character runs without a method. Errors: InvalidRequest.
Result<GenerationRequest> shot_request(const Project& project, std::size_t shot, GenerationRequest model_defaults,
                                       const std::filesystem::path& folder);

}  // namespace mirror
