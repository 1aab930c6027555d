#include "engine/session/project_file.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;  // Its objects are sorted by key.

constexpr const char* kFile = "project.json";

int small_integer(const ConfigReader& reader, const char* key, int least, int most) {
    return static_cast<int>(reader.integer(key, least, most));
}

std::optional<int> optional_integer(const ConfigReader& reader, const char* key, int least, int most) {
    if (!reader.has(key)) return std::nullopt;
    return small_integer(reader, key, least, most);
}

IdentityStrength read_identity(const ConfigReader& reader) {
    reader.refuse_unknown({"first_step", "last_step", "value"});
    IdentityStrength identity;
    identity.value = reader.number_or("value", identity.value, 0, limits::kMaxIdentityStrength);
    identity.first_step = static_cast<int>(reader.integer_or("first_step", 1, 1, limits::kMaxSteps));
    identity.last_step = optional_integer(reader, "last_step", 1, limits::kMaxSteps);
    return identity;
}

ShotSettings read_settings(const ConfigReader& reader) {
    ShotSettings settings;
    settings.frames = optional_integer(reader, "frames", 1, limits::kMaxFrames);
    settings.steps = optional_integer(reader, "steps", 1, limits::kMaxSteps);
    if (reader.has("guidance")) settings.guidance = reader.number("guidance", 0, limits::kMaxGuidance);
    if (reader.has("identity")) settings.identity = read_identity(reader.object("identity"));
    if (reader.has("negative")) settings.negative = reader.text("negative");
    return settings;
}

void read_defaults(const ConfigReader& reader, Project& project) {
    reader.refuse_unknown({"fps", "frames", "guidance", "height", "identity", "negative", "steps", "width"});
    project.defaults = read_settings(reader);
    project.frames_per_second = optional_integer(reader, "fps", 1, limits::kMaxFramesPerSecond);
    if (!reader.has("width") && !reader.has("height")) return;
    project.size = {small_integer(reader, "width", limits::kMinSide, limits::kMaxSide),
                    small_integer(reader, "height", limits::kMinSide, limits::kMaxSide)};
}

Character read_character(const ConfigReader& reader) {
    reader.refuse_unknown({"name", "references"});
    Character character;
    character.name = reader.text("name");
    if (!reader.has("references")) return character;
    for (const ConfigReader& photo : reader.objects("references")) {
        photo.refuse_unknown({"face", "file"});
        character.references.push_back({photo.text("file"), optional_integer(photo, "face", 1, limits::kMaxFaces)});
    }
    return character;
}

Shot read_shot(const ConfigReader& reader) {
    reader.refuse_unknown(
        {"character", "frames", "guidance", "identity", "name", "negative", "prompt", "seed", "steps"});
    Shot shot;
    shot.name = reader.text_or("name", "");
    shot.prompt = reader.text("prompt");
    shot.character = reader.text_or("character", "");
    if (reader.has("seed")) {
        const auto seed = reader.value("seed").as_unsigned();
        if (!seed) reader.refuse("seed", "must be an integer from 0 to 2^64-1");
        shot.seed = *seed;
    }
    shot.settings = read_settings(reader);
    return shot;
}

void check_version(const ConfigReader& reader) {
    const std::int64_t version = reader.integer("version", 1, std::numeric_limits<std::int64_t>::max());
    if (version > kProjectVersion)
        throw EngineError(ErrorCode::MalformedFile, reader.origin() + " has version " + std::to_string(version) +
                                                        "; this program reads version " +
                                                        std::to_string(kProjectVersion) +
                                                        ", so a newer one is needed.");
}

Project project_of(const ConfigReader& reader) {
    check_version(reader);
    reader.refuse_unknown({"characters", "defaults", "shots", "title", "version"});
    Project project;
    project.title = reader.text_or("title", "");
    if (reader.has("characters"))
        for (const ConfigReader& each : reader.objects("characters"))
            project.characters.push_back(read_character(each));
    if (reader.has("shots"))
        for (const ConfigReader& each : reader.objects("shots")) project.shots.push_back(read_shot(each));
    if (reader.has("defaults")) read_defaults(reader.object("defaults"), project);
    if (const Status status = check_project(project); !status)
        throw EngineError(ErrorCode::MalformedFile, reader.origin() + ": " + status.error().detail);
    return project;
}

// A path as messages show it.
std::string quoted(const fs::path& path) {
    std::string text = "'";
    text += path_for_message(path);
    return text += "'";
}

// A folder, or one sentence about what is there instead.
void expect_folder(const fs::path& folder) {
    std::error_code error;
    const fs::file_status status = fs::status(folder, error);
    if (fs::is_directory(status)) return;
    if (!fs::exists(status)) throw EngineError(ErrorCode::MissingFile, quoted(folder) + " is not there.");
    throw EngineError(ErrorCode::MalformedFile, quoted(folder) + " is no folder.");
}

Project project_in(const fs::path& folder) {
    expect_folder(folder);
    return project_of(ConfigReader::open(value_or_throw(file_in_project(folder, kFile))));
}

void put_settings(Json& json, const ShotSettings& settings) {
    if (settings.frames) json["frames"] = *settings.frames;
    if (settings.steps) json["steps"] = *settings.steps;
    if (settings.guidance) json["guidance"] = *settings.guidance;
    if (settings.negative) json["negative"] = *settings.negative;
    if (!settings.identity) return;
    json["identity"] = {{"first_step", settings.identity->first_step}, {"value", settings.identity->value}};
    if (settings.identity->last_step) json["identity"]["last_step"] = *settings.identity->last_step;
}

Json json_of(const Character& character) {
    Json references = Json::array();
    for (const ReferencePhoto& photo : character.references) {
        Json& json = references.emplace_back(Json{{"file", photo.file.string()}});
        if (photo.face) json["face"] = *photo.face;
    }
    return {{"name", character.name}, {"references", references}};
}

Json json_of(const Shot& shot) {
    Json json = {{"prompt", shot.prompt}, {"seed", shot.seed}};
    if (!shot.name.empty()) json["name"] = shot.name;
    if (!shot.character.empty()) json["character"] = shot.character;
    put_settings(json, shot.settings);
    return json;
}

std::string text_of(const Project& project) {
    Json characters = Json::array(), shots = Json::array(), defaults = Json::object();
    for (const Character& character : project.characters) characters.push_back(json_of(character));
    for (const Shot& shot : project.shots) shots.push_back(json_of(shot));
    put_settings(defaults, project.defaults);
    if (project.frames_per_second) defaults["fps"] = *project.frames_per_second;
    if (project.size) {
        defaults["width"] = project.size->first;
        defaults["height"] = project.size->second;
    }
    const Json json = {{"characters", characters},
                       {"defaults", defaults},
                       {"shots", shots},
                       {"title", project.title},
                       {"version", kProjectVersion}};
    return json.dump(2) + "\n";
}

// Whether `inner` lies below `outer`; both are real paths.
bool lies_below(const fs::path& inner, const fs::path& outer) {
    const auto [end, rest] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return end == outer.end() && rest != inner.end();
}

fs::path checked_file(const fs::path& folder, const fs::path& relative) {
    const std::string shown = quoted(relative) + " of the project " + quoted(folder);
    value_or_throw(check_project_path(relative.string(), "the file"));
    std::error_code error;
    const fs::path root = fs::canonical(folder, error);
    const fs::path real = error ? fs::path() : fs::canonical(folder / relative, error);
    if (error) throw EngineError(ErrorCode::MissingFile, shown + " is not there.");
    if (!lies_below(real, root)) throw EngineError(ErrorCode::InvalidRequest, shown + " is a link that leaves it.");
    if (!fs::is_regular_file(real, error)) throw EngineError(ErrorCode::MissingFile, shown + " is not a regular file.");
    return folder / relative;
}

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

// What lies in the folder, beside hidden files; no more than a packed project can hold.
std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const fs::path relative = entry->path().lexically_relative(folder);
        const bool is_folder = entry->symlink_status(error).type() == fs::file_type::directory;
        if (is_hidden(relative)) {
            if (is_folder) entry.disable_recursion_pending();
        } else if (!is_folder) {
            checked_file(folder, relative);
            files.push_back(relative);
        }
        if (files.size() > limits::kPackedEntries)
            throw EngineError(ErrorCode::InvalidRequest, "the project " + quoted(folder) + " has more than " +
                                                             std::to_string(limits::kPackedEntries) + " files.");
    }
    if (error) throw EngineError(ErrorCode::MissingFile, quoted(folder) + " cannot be read: " + error.message() + ".");
    return files;
}

std::vector<fs::path> whole_project(const fs::path& folder) {
    const Project project = project_in(folder);
    std::vector<fs::path> files = files_below(folder);
    for (const Character& character : project.characters)
        for (const ReferencePhoto& photo : character.references) {
            checked_file(folder, photo.file);
            files.push_back(photo.file);  // It may be a hidden one.
        }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

}  // namespace

Result<Project> read_project(const fs::path& folder) {
    return guarded_value<Project>([&] { return project_in(folder); });
}

Result<Project> parse_project(const std::string& json, const std::string& origin) {
    return guarded_value<Project>([&] { return project_of(ConfigReader::parse(json, origin)); });
}

Result<std::vector<fs::path>> files_of_project(const fs::path& folder) {
    return guarded_value<std::vector<fs::path>>([&] { return whole_project(folder); });
}

Status write_project(const fs::path& folder, const Project& project) {
    return guarded([&] {
        value_or_throw(check_project(project));
        const std::string text = text_of(project);
        if (text.size() > limits::kConfigBytes)
            throw EngineError(ErrorCode::InvalidRequest, "the project is larger than 4 MiB of text.");
        for (const char* part : {"references", "takes"}) value_or_throw(make_folders(folder / part));
        value_or_throw(durable_replace(folder / kFile, text));
    });
}

Result<fs::path> file_in_project(const fs::path& folder, const fs::path& relative) {
    return guarded_value<fs::path>([&] { return checked_file(folder, relative); });
}

}  // namespace mirror::engine
