#include "app/cli/opened_project.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "engine/archive/pack_files.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/session/output_rules.h"
#include "engine/session/project_file.h"

namespace mirror::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "project.json";

bool is_folder(const fs::path& place) {
    std::error_code error;
    const fs::file_status status = fs::status(place, error);
    // What is not there is told as a missing folder: most projects are folders.
    return fs::is_directory(status) || !fs::exists(status);
}

Project project_in(const archive::PackedFolder& packed, const fs::path& place) {
    const auto bytes = value_or_throw(packed.read(kFile, limits::kConfigBytes));
    return value_or_throw(
        engine::parse_project(std::string(bytes.begin(), bytes.end()), path_for_message(place / kFile)));
}

// Whether `file` would lie in the folder, by whatever spelling.
bool lies_in(const fs::path& file, const fs::path& folder) {
    std::error_code error;
    const fs::path outer = fs::canonical(folder, error);
    const fs::path inner = fs::weakly_canonical(fs::absolute(file, error), error);
    const auto [end, rest] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return !error && end == outer.end();
}

}  // namespace

OpenedProject OpenedProject::open(const fs::path& place, const std::stop_token& stop) {
    OpenedProject opened;
    opened.place_ = place;
    if (is_folder(place)) {
        opened.project_ = value_or_throw(engine::read_project(place));
    } else {
        opened.packed_ = value_or_throw(archive::PackedFolder::open(place, kFile, stop));
        opened.project_ = project_in(*opened.packed_, place);
    }
    return opened;
}

engine::Story OpenedProject::story(const GenerationRequest& model_defaults) const {
    if (!packed_) return value_or_throw(engine::story_of(project_, place_, model_defaults));
    return value_or_throw(engine::story_of(project_, place_, model_defaults, [&](const fs::path& file) -> Status {
        if (packed_->holds(file.string())) return success();
        return Error{ErrorCode::MissingFile,
                     path_for_message(file) + " is not in the packed project " + path_for_message(place_) + "."};
    }));
}

std::vector<fs::path> OpenedProject::files(const engine::Story& story) const {
    if (packed_) return {place_};
    std::vector<fs::path> files{place_ / kFile};
    for (const GenerationRequest& shot : story.shots)
        for (const ReferencePhoto& photo : shot.references) files.push_back(photo.file);
    return files;
}

std::unique_ptr<FaceReader> OpenedProject::face_reader() const {
    if (!packed_) return face::make_face_reader();
    return face::make_face_reader([packed = packed_, place = place_](const fs::path& photo) {
        return packed->read(photo.lexically_relative(place).string(), limits::kPhotographFileBytes);
    });
}

void pack_project(const fs::path& folder, const fs::path& target, const std::stop_token& stop) {
    if (!is_folder(folder))
        throw EngineError(ErrorCode::InvalidRequest,
                          path_for_message(folder) + " is no folder; --pack wants a project's folder.");
    std::vector<archive::FileToPack> files;
    std::vector<fs::path> inputs;
    for (const fs::path& file : value_or_throw(engine::files_of_project(folder))) {
        inputs.push_back(folder / file);
        files.push_back({file.generic_string(), inputs.back()});
    }
    value_or_throw(engine::check_output(target, inputs));
    if (lies_in(target, folder))
        throw EngineError(ErrorCode::WriteFailed, "cannot write '" + escape_for_message(target) +
                                                      "': a packed project cannot lie in the project itself.");
    value_or_throw(archive::pack_files(target, std::move(files), stop));
}

}  // namespace mirror::cli
