#include "app/cli/demo_files.h"

#include <system_error>

#include "engine/core/result.h"

namespace mirror::cli {

namespace fs = std::filesystem;

fs::path demo_file(const std::string& name) {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (const fs::path& folder :
         {program.parent_path().parent_path() / "share" / "magic-mirror", fs::path(MIRROR_RESOURCES_DIR)})
        if (fs::exists(folder / name, error)) return folder / name;
    throw EngineError(ErrorCode::MissingFile, "the demo's file " + name + " is not installed.");
}

const std::vector<std::string>& drawn_examples() {
    static const std::vector<std::string> names{"mara", "otto", "ingrid", "finn"};
    return names;
}

}  // namespace mirror::cli
