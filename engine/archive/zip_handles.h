#pragma once

// libzip's objects, let go of on every way out.

#include <zip.h>

#include <memory>

namespace mirror::archive {

struct DiscardArchive {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
// Let go of without a change to the file.
using ZipHandle = std::unique_ptr<zip_t, DiscardArchive>;

struct CloseEntry {
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using EntryHandle = std::unique_ptr<zip_file_t, CloseEntry>;

struct FreeSource {
    void operator()(zip_source_t* source) const { zip_source_free(source); }
};
// Until an archive has taken it over.
using SourceHandle = std::unique_ptr<zip_source_t, FreeSource>;

}  // namespace mirror::archive
