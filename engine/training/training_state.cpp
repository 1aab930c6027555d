#include "engine/training/training_state.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <system_error>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/formats/json.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/tensor_file.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPartBytes = 14 << 20;  // Leaves room for the header.
constexpr const char* kStateFile = "state.json";
constexpr std::int64_t kMany = std::int64_t{1} << 60;

std::string part_name(std::int64_t samples, std::size_t index) {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "state-%010lld-%03zu.safetensors", static_cast<long long>(samples), index);
    return name.data();
}

// Cuts the long rows of numbers into parts in order. A part holds pieces of one or more rows, named "row:begin".
std::vector<TensorMap> cut(const std::vector<std::pair<std::string, at::Tensor>>& rows) {
    std::vector<TensorMap> parts(1);
    std::int64_t room = kPartBytes;
    for (const auto& [name, row] : rows) {
        const auto width = static_cast<std::int64_t>(row.element_size());
        for (std::int64_t begin = 0; begin < row.numel();) {
            if (room < width) {
                parts.emplace_back();
                room = kPartBytes;
            }
            const std::int64_t count = std::min(room / width, row.numel() - begin);
            parts.back()[name + ":" + std::to_string(begin)] = row.narrow(0, begin, count).to(at::kCPU);
            begin += count;
            room -= count * width;
        }
    }
    return parts;
}

// Parts that no state names: of the state before, or of one that was never completed.
void remove_other_parts(const fs::path& folder, const std::set<std::string>& kept) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("state-") && name.ends_with(".safetensors") && !kept.contains(name))
            fs::remove(entry.path(), ignored);
    }
}

std::string state_json(const RunPosition& position, const std::vector<std::string>& names) {
    std::string json = "{\n  \"stage\": " + formats::json_quoted(position.stage) +
                       ",\n  \"recipe_sha256\": " + formats::json_quoted(position.recipe_sha256) +
                       ",\n  \"samples\": " + std::to_string(position.samples) +
                       ",\n  \"steps\": " + std::to_string(position.steps) + ",\n  \"parts\": [";
    for (std::size_t i = 0; i < names.size(); ++i) json += (i == 0 ? "" : ", ") + formats::json_quoted(names[i]);
    return json + "]\n}\n";
}

// Puts a piece "row:begin" into its row; returns how many numbers it had.
std::int64_t fill(const std::string& name, const at::Tensor& piece,
                  const std::vector<std::pair<std::string, at::Tensor>>& rows, const fs::path& file) {
    const auto refuse = [&]() -> EngineError {
        return {ErrorCode::ShapeMismatch, "The training state " + path_for_message(file) +
                                              " belongs to another model: its piece " + escape_for_message(name, 64) +
                                              " has no place."};
    };
    const std::size_t colon = name.find(':');
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const auto& candidate) { return candidate.first == name.substr(0, colon); });
    if (colon == std::string::npos || row == rows.end() || piece.dim() != 1) throw refuse();
    std::int64_t begin = 0;
    if (std::sscanf(name.c_str() + colon + 1, "%ld", &begin) != 1 || begin < 0) throw refuse();
    if (begin > row->second.numel() - piece.numel() || piece.scalar_type() != row->second.scalar_type()) throw refuse();
    row->second.narrow(0, begin, piece.numel()).copy_(piece);
    return piece.numel();
}

RunPosition position_in(const ConfigReader& file) {
    file.refuse_unknown({"stage", "recipe_sha256", "samples", "steps", "parts"});
    RunPosition position;
    position.stage = file.text("stage");
    position.recipe_sha256 = file.text("recipe_sha256");
    position.samples = file.integer("samples", 0, kMany);
    position.steps = file.integer("steps", 0, kMany);
    return position;
}

}  // namespace

bool has_state(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / kStateFile, ignored);
}

void save_state(const fs::path& folder, const RunPosition& position, const AdamW& optimizer) {
    value_or_throw(make_folders(folder));
    std::vector<std::string> names;
    for (const TensorMap& part : cut(optimizer.state())) {
        names.push_back(part_name(position.samples, names.size()));
        save_tensors(folder / names.back(), part, {{"format", "mirror-training-state"}});
    }
    value_or_throw(durable_replace(folder / kStateFile, state_json(position, names)));
    remove_other_parts(folder, {names.begin(), names.end()});
}

std::int64_t saved_samples(const fs::path& folder) {
    return has_state(folder) ? position_in(ConfigReader::open(folder / kStateFile)).samples : 0;
}

RunPosition load_state(const fs::path& folder, AdamW& optimizer) {
    const c10::NoGradGuard no_gradients;
    const ConfigReader file = ConfigReader::open(folder / kStateFile);
    RunPosition position = position_in(file);
    const auto rows = optimizer.state();
    std::int64_t expected = 0, found = 0;
    for (const auto& row : rows) expected += row.second.numel();
    for (const std::string& name : file.texts("parts")) {
        if (name.find('/') != std::string::npos || !name.starts_with("state-"))
            file.refuse("parts", "names a file of another kind");
        for (const auto& [piece_name, piece] : load_tensors(folder / name))
            found += fill(piece_name, piece, rows, folder / name);
    }
    if (found != expected)
        throw EngineError(ErrorCode::ShapeMismatch, "The training state " + path_for_message(folder / kStateFile) +
                                                        " holds " + std::to_string(found) + " numbers, and the model " +
                                                        "of this recipe needs " + std::to_string(expected) + ".");
    optimizer.set_steps(position.steps);
    return position;
}

}  // namespace mirror::engine::training
