#pragma once

// The options that `generate`, `image` and `story` share, and the request that they make together with the model's own
// defaults.

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/request.h"
#include "engine/session/model_info.h"

namespace mirror::cli {

struct GenerationOptions {
    std::vector<std::string> references;
    std::optional<int> face;
    std::string prompt;
    std::optional<std::string> negative;
    std::string output;
    std::string model;
    std::string adapter;
    std::string latents;
    std::string preview_folder;
    Method method = Method::MagicMirror;
    std::optional<int> frames;
    std::optional<std::pair<int, int>> size;
    std::optional<int> steps;
    std::optional<double> guidance;
    std::optional<std::uint64_t> seed;
    std::optional<IdentityStrength> strength;
    std::optional<DynamicGuidance> dynamic_guidance;
    std::string device = "cpu";
    std::optional<Precision> precision;
    std::uint64_t budget = 0;
    bool json = false;
};

void add_generation_options(CLI::App& command, GenerationOptions& options, OutputKind kind);

// Those of `story`: a project says who does what, so there are no references and no prompt.
void add_story_options(CLI::App& command, GenerationOptions& options);
// Those of `demo`: which model, and how.
void add_demo_options(CLI::App& command, GenerationOptions& options);
// What the model and the options say of every shot, before the project does. Throws UsageError for options about the
// person where there is none.
GenerationRequest model_defaults(const GenerationOptions& options, const std::filesystem::path& folder,
                                 const engine::ModelInfo& model);
// What the options say of size, length, steps and so on, put over a request.
void override_shot(const GenerationOptions& options, GenerationRequest& shot);

// Throws UsageError for what only the model decides (the length of 1.5 clips), and what options say together.
GenerationRequest make_request(const GenerationOptions& options, OutputKind kind, const engine::ModelInfo& model);

// `--model`; without it, or if it says "pocket", the model that comes with the program. EngineError: there is none.
std::filesystem::path model_folder(const std::string& given);

// A picture if the name ends in `.png`, in any case, else a video.
OutputKind output_kind(const std::string& output);

// `.mp4` or `.png`, in any case, or none.
void check_output_name(const std::string& output, OutputKind kind);

// 8N+1
int frames_value(const std::string& option, const std::string& text);
Precision precision_value(const std::string& option, const std::string& text);

}  // namespace mirror::cli
