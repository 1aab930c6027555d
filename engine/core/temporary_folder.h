#pragma once

// A folder of many files that gets its name when all of them are complete: a checkpoint, or a part of one.

#include <filesystem>
#include <string>

#include "engine/core/result.h"

namespace mirror {

// A new, empty, hidden folder, removed with everything in it by the destructor unless publish() succeeded. Movable, not
// thread-safe.
class TemporaryFolder {
public:
    // For a `target` that is absent or an empty folder; what an earlier, killed program left there is removed. Missing
    // folders above it are made, and removed again after a failure. Errors: InvalidRequest, WriteFailed.
    static Result<TemporaryFolder> create_for(const std::filesystem::path& target);

    TemporaryFolder(TemporaryFolder&& other) noexcept;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder();

    // Where the files are written until then.
    const std::filesystem::path& path() const { return path_; }

    // Gives it its name in one step. A target that was there already, and may be a mount point or a link, gets the
    // entries one by one instead, the one called `last` at the end.
    Status publish(const std::string& last);

private:
    TemporaryFolder(std::filesystem::path target, bool inside);
    Status make_parents();
    Status claim();
    Status move_entries(const std::string& last);

    std::filesystem::path target_;
    std::filesystem::path path_;   // Empty once published, moved from, or not made yet.
    std::filesystem::path above_;  // The outermost folder that was made on the way; empty if none was.
    bool inside_ = false;          // The target was there, and this lies in it.
    int descriptor_ = -1;          // Open while it is locked.
};

}  // namespace mirror
