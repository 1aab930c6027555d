#pragma once

// One stage of a checkpoint on named tensors from a file: the interface for checks against other implementations. Names
// no torch type.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/request.h"
#include "engine/core/result.h"

namespace mirror::engine {

// Numbers are as the command line gave them: a stage refuses what is impossible, naming the option.
struct StageOptions {
    Precision dtype = Precision::Fp32;
    std::string device = "cpu";
    std::filesystem::path adapter;      // Empty: none.
    std::vector<std::string> switches;  // NAME=VALUE, in order.
    std::optional<std::string> id_pack;
    bool allow_id_pack_mismatch = false;
    std::vector<std::string> texts;
    std::int64_t max_length = 226;
    std::int64_t references = 1;
    bool tiling = false;
    SamplerKind sampler = SamplerKind::Dpm;
    std::int64_t steps = 50;
    double guidance = 6.0;
    bool dynamic_cfg = false;
    std::optional<std::int64_t> frames;
};

struct StageJob {
    std::string stage;
    std::filesystem::path model;
    std::filesystem::path inputs;  // Empty for stages that read none.
    std::filesystem::path outputs;
    StageOptions options;
};

// What the command line needs to know of a stage.
struct StageDescription {
    std::string name;
    bool reads_inputs = true;
    bool requires_adapter = false;
    std::vector<std::string> options;           // Those it takes beside --dtype and --device: "--tiling"
    std::vector<std::string> required_options;  // "--text"
};

const std::vector<StageDescription>& stage_descriptions();

// Warnings, one sentence each. After an error there is no file under the output's name that was not there before.
Result<std::vector<std::string>> run_stage(const StageJob& job, std::stop_token stop);

}  // namespace mirror::engine
