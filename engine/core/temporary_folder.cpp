#include "engine/core/temporary_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/core/temporary_names.h"
#include "engine/core/utf8.h"

namespace mirror {
namespace {

namespace fs = std::filesystem;

constexpr int kNameAttempts = 100;
constexpr const char* kNameInside = "unfinished";

Error cannot_make(const fs::path& target, int number) {
    return {ErrorCode::WriteFailed, "Cannot make the folder " + path_for_message(target) + ": " +
                                        std::generic_category().message(number) + "."};
}

// "a/b/" is the folder b.
fs::path without_slash(const fs::path& target) { return target.has_filename() ? target : target.parent_path(); }

void sync(const fs::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);  // What is lost with the names after a power cut are names of unfinished files.
    ::close(descriptor);
}

}  // namespace

TemporaryFolder::TemporaryFolder(fs::path target, bool inside) : target_(std::move(target)), inside_(inside) {}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, {})),
      above_(std::exchange(other.above_, {})),
      inside_(other.inside_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
    if (descriptor_ >= 0) ::close(descriptor_);
    if (above_.empty()) return;
    // Only while they are empty: somebody else may use them by now.
    for (fs::path folder = target_.parent_path(); fs::remove(folder, ignored) && folder != above_;)
        folder = folder.parent_path();
}

Result<TemporaryFolder> TemporaryFolder::create_for(const fs::path& asked) {
    const fs::path target = without_slash(asked);
    std::error_code error;
    const bool there = fs::exists(fs::symlink_status(target, error));
    if (there) remove_stale_folders(target / kNameInside);
    if (there && (!fs::is_directory(target, error) || !fs::is_empty(target, error)))
        return Error{ErrorCode::InvalidRequest,
                     path_for_message(target) + " is not an empty folder; give the name of a new one."};
    TemporaryFolder folder(target, there);
    if (!there) {
        remove_stale_folders(target);
        if (const Status status = folder.make_parents(); !status) return status.error();
    }
    if (const Status status = folder.claim(); !status) return status.error();
    return folder;
}

Status TemporaryFolder::make_parents() {
    std::vector<fs::path> missing;
    std::error_code error;
    for (fs::path folder = target_.parent_path(); !folder.empty() && !fs::exists(folder, error);
         folder = folder.parent_path())
        missing.push_back(folder);
    for (; !missing.empty(); missing.pop_back()) {
        if (::mkdir(missing.back().c_str(), 0777) != 0) {
            if (errno == EEXIST) continue;
            return cannot_make(target_, errno);
        }
        if (above_.empty()) above_ = missing.back();
    }
    return success();
}

Status TemporaryFolder::claim() {
    for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
        const fs::path path = temporary_name(inside_ ? target_ / kNameInside : target_);
        if (::mkdir(path.c_str(), 0777) != 0) {
            if (errno == EEXIST) continue;
            return cannot_make(target_, errno);
        }
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (descriptor >= 0 && claim_temporary(descriptor, path)) {
            path_ = path;
            descriptor_ = descriptor;
            return success();
        }
        if (descriptor >= 0) ::close(descriptor);
    }
    return cannot_make(target_, EAGAIN);
}

Status TemporaryFolder::publish(const std::string& last) {
    sync(path_);
    if (inside_) {
        if (const Status moved = move_entries(last); !moved) return moved;
        ::rmdir(path_.c_str());
        sync(target_);
    } else {
        if (::rename(path_.c_str(), target_.c_str()) != 0) return cannot_make(target_, errno);
        sync(folder_of(target_));
    }
    path_.clear();
    above_.clear();
    return success();
}

Status TemporaryFolder::move_entries(const std::string& last) {
    std::vector<fs::path> names;
    std::error_code error;
    fs::directory_iterator entry(path_, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        if (entry->path().filename() != last) names.push_back(entry->path().filename());
    if (error) return cannot_make(target_, error.value());
    if (!last.empty() && fs::exists(path_ / last, error)) names.emplace_back(last);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const fs::path place = target_ / names[i];
        const bool taken = fs::exists(fs::symlink_status(place, error));
        if (!taken && ::rename((path_ / names[i]).c_str(), place.c_str()) == 0) continue;
        const int number = taken ? EEXIST : errno;
        while (i-- > 0) fs::remove_all(target_ / names[i], error);
        return cannot_make(target_, number);
    }
    return success();
}

}  // namespace mirror
