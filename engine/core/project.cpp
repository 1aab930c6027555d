#include "engine/core/project.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <tuple>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"

namespace mirror {
namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
    throw EngineError(ErrorCode::InvalidRequest, place + " " + what + ".");
}

std::string indexed(const char* list, std::size_t index) {
    return std::string(list) + "[" + std::to_string(index) + "]";
}

// No control, line-breaking, invisible or bidirectional characters.
bool is_plain(const std::string& text) { return is_utf8(text) && escape_for_message(text, text.size() + 1) == text; }

void check_name(const std::string& name, const std::string& place) {
    if (name.size() > limits::kProjectNameBytes)
        refuse(place, "is longer than " + std::to_string(limits::kProjectNameBytes) + " bytes");
    if (!is_plain(name)) refuse(place, "holds characters that a name cannot have");
}

void check_text(const std::string& text, const std::string& place) {
    if (text.size() > limits::kProjectTextBytes)
        refuse(place, "is longer than " + std::to_string(limits::kProjectTextBytes) + " bytes");
    if (!is_utf8(text)) refuse(place, "is not UTF-8");
}

// `range` says 0 to `most` in words.
void check_number(double value, double most, const char* range, const std::string& place) {
    if (!std::isfinite(value) || value < 0 || value > most) refuse(place, std::string("must be a number ") + range);
}

void check_settings(const ShotSettings& settings, const std::string& prefix) {
    if (settings.frames && (*settings.frames < 1 || *settings.frames > limits::kMaxFrames || *settings.frames % 8 != 1))
        refuse(prefix + "frames", "must be 8N+1 from 1 to 1025, not " + std::to_string(*settings.frames));
    if (settings.steps && (*settings.steps < 1 || *settings.steps > limits::kMaxSteps))
        refuse(prefix + "steps", "must be from 1 to 1000, not " + std::to_string(*settings.steps));
    if (settings.guidance) check_number(*settings.guidance, limits::kMaxGuidance, "from 0 to 100", prefix + "guidance");
    if (settings.negative) check_text(*settings.negative, prefix + "negative");
    if (!settings.identity) return;
    const IdentityStrength& identity = *settings.identity;
    check_number(identity.value, limits::kMaxIdentityStrength, "from 0 to 1.5", prefix + "identity.value");
    const int last = identity.last_step.value_or(limits::kMaxSteps);
    if (identity.first_step < 1 || last < identity.first_step || last > limits::kMaxSteps)
        refuse(prefix + "identity", "must name steps from 1 to 1000, the first one first");
}

void check_character(const Character& character, const std::string& place) {
    if (character.name.empty()) refuse(place + ".name", "is empty");
    check_name(character.name, place + ".name");
    if (character.references.size() > limits::kMaxReferences)
        refuse(place + ".references",
               "has " + std::to_string(character.references.size()) + " pictures; 4 are the most");
    for (std::size_t i = 0; i < character.references.size(); ++i) {
        const std::string at = place + "." + indexed("references", i);
        const ReferencePhoto& photo = character.references[i];
        value_or_throw(check_project_path(photo.file.string(), at + ".file"));
        if (photo.face && (*photo.face < 1 || *photo.face > limits::kMaxFaces))
            refuse(at + ".face", "must be from 1 to " + std::to_string(limits::kMaxFaces));
    }
}

void check_cast(const std::vector<Character>& characters) {
    if (characters.size() > limits::kProjectCharacters)
        refuse("characters", "are more than " + std::to_string(limits::kProjectCharacters));
    std::set<std::string> names;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        const std::string place = indexed("characters", i);
        check_character(characters[i], place);
        if (!names.insert(characters[i].name).second)
            refuse(place + ".name", "is used twice: " + escape_for_message(characters[i].name));
    }
}

void check_shots(const Project& project) {
    if (project.shots.size() > limits::kProjectShots)
        refuse("shots", "are more than " + std::to_string(limits::kProjectShots));
    for (std::size_t i = 0; i < project.shots.size(); ++i) {
        const Shot& shot = project.shots[i];
        const std::string place = indexed("shots", i);
        check_name(shot.name, place + ".name");
        if (shot.prompt.empty()) refuse(place + ".prompt", "is empty");
        check_text(shot.prompt, place + ".prompt");
        check_settings(shot.settings, place + ".");
        if (!shot.character.empty() && project.find_character(shot.character) == nullptr)
            refuse(place + ".character", "names nobody of the cast: " + escape_for_message(shot.character));
    }
}

void check(const Project& project) {
    check_name(project.title, "title");
    check_cast(project.characters);
    check_shots(project);
    check_settings(project.defaults, "defaults.");
    const auto is_side = [](int side) {
        return side >= limits::kMinSide && side <= limits::kMaxSide && side % 16 == 0;
    };
    if (project.size && (!is_side(project.size->first) || !is_side(project.size->second)))
        refuse("defaults.width and defaults.height", "must be from 16 to 8192 and divisible by 16");
    if (project.frames_per_second &&
        (*project.frames_per_second < 1 || *project.frames_per_second > limits::kMaxFramesPerSecond))
        refuse("defaults.fps", "must be from 1 to " + std::to_string(limits::kMaxFramesPerSecond));
}

// Why this part of a path cannot be; nothing if it can.
const char* fault_of_part(std::string_view part) {
    if (part.empty()) return "has an empty part";
    if (part == "." || part == "..") return "leaves its place";
    if (part.size() > limits::kFileNameBytes) return "has a part that is too long for a file's name";
    if (part.find_first_of("\\:") != std::string_view::npos) return "has a backslash or a colon in it";
    return nullptr;
}

void apply(const ShotSettings& settings, GenerationRequest& request) {
    if (settings.frames) request.video.frames = *settings.frames;
    if (settings.steps) request.sampling.steps = *settings.steps;
    if (settings.guidance) request.sampling.guidance = *settings.guidance;
    if (settings.identity) request.identity = *settings.identity;
    if (settings.negative) request.prompt.negative = *settings.negative;
}

}  // namespace

const Character* Project::find_character(const std::string& name) const {
    const auto found = std::find_if(characters.begin(), characters.end(),
                                    [&](const Character& character) { return character.name == name; });
    return found == characters.end() ? nullptr : &*found;
}

Status check_project_path(const std::string& path, const std::string& place) {
    const auto refused = [&](const std::string& what) {
        return Error{ErrorCode::InvalidRequest, place + " " + what + ": '" + escape_for_message(path) + "'."};
    };
    if (path.empty()) return refused("names no file");
    if (path.size() > limits::kProjectPathBytes) return refused("is too long");
    if (!is_plain(path)) return refused("holds characters that the name of a file in a project cannot have");
    if (path.front() == '/') return refused("is absolute");
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (const char* fault = fault_of_part(std::string_view(path).substr(begin, end - begin))) return refused(fault);
        begin = end + 1;
    }
    return success();
}

Status check_project(const Project& project) {
    try {
        check(project);
        return success();
    } catch (const EngineError& error) {
        return error.error();
    }
}

Result<GenerationRequest> shot_request(const Project& project, std::size_t index, GenerationRequest request,
                                       const std::filesystem::path& folder) {
    const Shot& shot = project.shots.at(index);
    apply(project.defaults, request);
    apply(shot.settings, request);
    if (project.size) std::tie(request.video.width, request.video.height) = *project.size;
    if (project.frames_per_second) request.video.rate = {*project.frames_per_second, 1};
    request.prompt.positive = shot.prompt;
    request.sampling.seed = shot.seed;
    request.references.clear();
    const Character* character = project.find_character(shot.character);
    if (character == nullptr) {
        request.method = Method::None;
        return request;
    }
    if (request.method == Method::None) return request;
    if (character->references.empty())
        return Error{ErrorCode::InvalidRequest, "the character " + escape_for_message(character->name) + " of " +
                                                    indexed("shots", index) + " has no reference pictures."};
    for (const ReferencePhoto& photo : character->references)
        request.references.push_back({folder / photo.file, photo.face});
    return request;
}

}  // namespace mirror
