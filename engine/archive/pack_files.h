#pragma once

// Makes one ZIP file of many. Nothing is compressed, no times and no owners are kept and the names are sorted, so that
// the same files always make the same bytes.

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/archive/packed_folder.h"
#include "engine/core/result.h"

namespace mirror::archive {

struct FileToPack {
    std::string name;            // In the archive: "references/mara.png".
    std::filesystem::path file;  // Where its bytes are.
};

// The file is read back as PackedFolder reads it before it gets its name. Errors: InvalidRequest, MissingFile,
// WriteFailed, Cancelled.
Status pack_files(const std::filesystem::path& target, std::vector<FileToPack> files, const std::stop_token& stop,
                  const PackedLimits& most = {});

}  // namespace mirror::archive
