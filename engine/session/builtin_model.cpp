#include "engine/session/builtin_model.h"

#include <system_error>

namespace mirror::engine {

namespace fs = std::filesystem;

std::optional<fs::path> find_builtin_model() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path name(kBuiltinModel);
    for (const fs::path& folder : {program.parent_path().parent_path() / "share" / "magic-mirror" / "models" / name,
                                   fs::path(MIRROR_BUILTIN_MODELS_DIR) / name}) {
        if (fs::is_regular_file(folder / "model_index.json", error)) return folder;
    }
    return std::nullopt;
}

}  // namespace mirror::engine
