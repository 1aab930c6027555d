#pragma once

// Everything that can change a pixel of the result, and nothing else: stored with every take and in every exported
// video.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/core/result.h"

namespace mirror {

enum class OutputKind { Video, Image };
enum class Method { None, MagicMirror };
enum class SamplerKind { Ddim, Dpm };
enum class DynamicGuidance { Off, Timestep, Step };
enum class Precision { Fp32, Bf16 };
// Whether the decoder works on whole frames or, in less memory, on overlapping tiles of them, which changes the
// numbers.
enum class Decoding { Whole, Tiles };

struct Prompt {
    std::string positive;
    std::string negative;
    friend bool operator==(const Prompt&, const Prompt&) = default;
};

struct SamplingSpec {
    SamplerKind sampler = SamplerKind::Dpm;
    int steps = 50;         // 1 to 1,000
    double guidance = 6.0;  // 0 to 100; at 1 or less there is no negative row
    DynamicGuidance dynamic_guidance = DynamicGuidance::Timestep;
    std::uint64_t seed = 0;
    friend bool operator==(const SamplingSpec&, const SamplingSpec&) = default;
};

// How strongly the person is held, and in which steps (1-based, inclusive); outside them the base model runs.
struct IdentityStrength {
    double value = 1.0;  // 0 to 1.5
    int first_step = 1;
    std::optional<int> last_step;
    friend bool operator==(const IdentityStrength&, const IdentityStrength&) = default;
};

// One photograph of the person. `face` chooses among several faces, numbered from 1 as `magic-mirror face` lists them.
struct ReferencePhoto {
    std::filesystem::path file;
    std::optional<int> face;
    friend bool operator==(const ReferencePhoto&, const ReferencePhoto&) = default;
};

struct GenerationRequest {
    OutputKind kind = OutputKind::Video;
    std::filesystem::path model;    // Checkpoint folder.
    std::filesystem::path adapter;  // Empty: DIR/adapter if the method needs one.
    Method method = Method::MagicMirror;
    Prompt prompt;
    VideoSpec video;
    SamplingSpec sampling;
    std::vector<ReferencePhoto> references;
    IdentityStrength identity;
    std::string device = "cpu";  // cpu, cuda, cuda:N
    Precision precision = Precision::Fp32;
    Decoding decoding = Decoding::Whole;
    std::uint64_t memory_budget = 0;  // Bytes; 0 means what the machine has. Only under a budget, a run that has no
                                      // room for whole frames changes `decoding` to tiles.
    friend bool operator==(const GenerationRequest&, const GenerationRequest&) = default;
};

// Keys sorted; every field written. The inverse refuses unknown keys, wrong types and values out of range by name.
std::string request_to_json(const GenerationRequest& request);
Result<GenerationRequest> request_from_json(const std::string& text);

// Ranges of docs and command line, without touching a file. The message names the option (`--steps`).
Status check_request(const GenerationRequest& request);

const char* to_text(OutputKind kind);
const char* to_text(Method method);
const char* to_text(SamplerKind sampler);
const char* to_text(DynamicGuidance schedule);
const char* to_text(Precision precision);
const char* to_text(Decoding decoding);

}  // namespace mirror
