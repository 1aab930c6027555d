#include "engine/archive/pack_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/archive/zip_handles.h"
#include "engine/core/durable_replace.h"
#include "engine/core/project.h"
#include "engine/core/utf8.h"

namespace mirror::archive {

namespace {

namespace fs = std::filesystem;

// 1 January 1980, 00:00: the earliest time that a ZIP file can say.
constexpr std::uint16_t kNoTime = 0;
constexpr std::uint16_t kNoDate = (1u << 5) | 1u;
constexpr std::uint32_t kRegularFile = std::uint32_t{S_IFREG | 0644} << 16;

// The file that libzip writes into: a descriptor that is kept by somebody else, which libzip's own files are not.
struct Target {
    int descriptor = -1;
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    zip_error_t error{};
};

bool write_all(Target& target, const char* bytes, std::uint64_t count) {
    while (count > 0) {
        const ssize_t put = ::pwrite(target.descriptor, bytes, count, static_cast<off_t>(target.at));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            zip_error_set(&target.error, ZIP_ER_WRITE, put < 0 ? errno : ENOSPC);
            return false;
        }
        bytes += put;
        count -= static_cast<std::uint64_t>(put);
        target.at += static_cast<std::uint64_t>(put);
        target.size = std::max(target.size, target.at);
    }
    return true;
}

zip_int64_t seek(Target& target, void* data, zip_uint64_t length) {
    const zip_int64_t to = zip_source_seek_compute_offset(target.at, target.size, data, length, &target.error);
    if (to < 0) return -1;
    target.at = static_cast<std::uint64_t>(to);
    return 0;
}

// What libzip asks of a file that is only written.
zip_int64_t serve(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
    Target& target = *static_cast<Target*>(state);
    switch (command) {
        case ZIP_SOURCE_SUPPORTS:
            return ZIP_SOURCE_SUPPORTS_WRITABLE;
        case ZIP_SOURCE_STAT: {
            auto* const info = static_cast<zip_stat_t*>(data);
            zip_stat_init(info);
            info->valid = ZIP_STAT_SIZE;
            info->size = target.size;
            return sizeof(zip_stat_t);
        }
        case ZIP_SOURCE_WRITE:
            return write_all(target, static_cast<const char*>(data), length) ? static_cast<zip_int64_t>(length) : -1;
        case ZIP_SOURCE_SEEK_WRITE:
            return seek(target, data, length);
        case ZIP_SOURCE_TELL_WRITE:
            return static_cast<zip_int64_t>(target.at);
        case ZIP_SOURCE_ERROR:
            return zip_error_to_data(&target.error, data, length);
        case ZIP_SOURCE_OPEN:
        case ZIP_SOURCE_CLOSE:
        case ZIP_SOURCE_FREE:
        case ZIP_SOURCE_BEGIN_WRITE:
        case ZIP_SOURCE_COMMIT_WRITE:
        case ZIP_SOURCE_ROLLBACK_WRITE:
        case ZIP_SOURCE_REMOVE:
            return 0;
        default:
            zip_error_set(&target.error, ZIP_ER_OPNOTSUPP, 0);
            return -1;
    }
}

Error cannot_pack(const fs::path& target, const std::string& reason) {
    return {ErrorCode::WriteFailed, "Cannot write " + path_for_message(target) + ": " + reason + "."};
}

Status check_files(const std::vector<FileToPack>& files, const PackedLimits& most) {
    const auto refused = [](const FileToPack& file, const std::string& what) {
        return Error{ErrorCode::InvalidRequest, path_for_message(file.file) + " cannot be packed: " + what + "."};
    };
    if (files.size() > most.entries)
        return Error{ErrorCode::InvalidRequest,
                     "more than " + std::to_string(most.entries) + " files cannot be packed."};
    std::uint64_t bytes = 0;
    for (const FileToPack& file : files) {
        if (const Status status = check_project_path(file.name, "the file to pack"); !status) return status;
        struct stat info {};
        if (::stat(file.file.c_str(), &info) != 0) return refused(file, std::generic_category().message(errno));
        if (!S_ISREG(info.st_mode)) return refused(file, "it is not a regular file");
        const auto size = static_cast<std::uint64_t>(info.st_size);
        if (size > most.entry_bytes)
            return refused(file, "it is larger than " + std::to_string(most.entry_bytes) + " bytes");
        bytes += size;
    }
    if (bytes <= most.bytes) return success();
    return Error{ErrorCode::InvalidRequest,
                 "files of more than " + std::to_string(most.bytes) + " bytes together cannot be packed."};
}

Status add(zip_t* archive, const FileToPack& file, const fs::path& target) {
    const auto failed = [&] { return cannot_pack(target, zip_error_strerror(zip_get_error(archive))); };
    SourceHandle source(zip_source_file(archive, file.file.c_str(), 0, -1));
    if (!source) return failed();
    const zip_int64_t added = zip_file_add(archive, file.name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
    if (added < 0) return failed();
    static_cast<void>(source.release());
    const auto index = static_cast<zip_uint64_t>(added);
    if (zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, index, kNoTime, kNoDate, 0) != 0 ||
        zip_file_set_external_attributes(archive, index, 0, ZIP_OPSYS_UNIX, kRegularFile) != 0)
        return failed();
    return success();
}

int is_stopped(zip_t* /*archive*/, void* stop) {
    return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

Status write_archive(Target& into, const fs::path& target, const std::vector<FileToPack>& files, std::stop_token stop) {
    zip_error_init(&into.error);
    SourceHandle source(zip_source_function_create(serve, &into, &into.error));
    ZipHandle archive(source ? zip_open_from_source(source.get(), ZIP_CREATE | ZIP_TRUNCATE, &into.error) : nullptr);
    if (!archive) return cannot_pack(target, zip_error_strerror(&into.error));
    static_cast<void>(source.release());
    for (const FileToPack& file : files)
        if (const Status status = add(archive.get(), file, target); !status) return status;
    zip_register_cancel_callback_with_state(archive.get(), is_stopped, nullptr, &stop);
    if (zip_close(archive.get()) == 0) {
        static_cast<void>(archive.release());
        return success();
    }
    zip_error_t* const error = zip_get_error(archive.get());
    if (zip_error_code_zip(error) == ZIP_ER_CANCELLED) return Error{ErrorCode::Cancelled, "stopped by the user"};
    return cannot_pack(target, zip_error_strerror(error));
}

}  // namespace

Status pack_files(const fs::path& target, std::vector<FileToPack> files, const std::stop_token& stop,
                  const PackedLimits& most) {
    if (files.empty()) return Error{ErrorCode::InvalidRequest, "there is nothing to pack."};
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    if (const Status status = check_files(files, most); !status) return status;
    auto temporary = TemporaryFile::create_beside(target);
    if (!temporary) return temporary.error();
    Target into;
    into.descriptor = temporary.value().descriptor();
    const Status written = write_archive(into, target, files, stop);
    zip_error_fini(&into.error);
    if (!written) return written;
    const auto packed = PackedFolder::open(temporary.value().path(), files.front().name, stop, most);
    if (!packed && packed.error().code == ErrorCode::Cancelled) return packed.error();
    if (!packed || packed.value()->names().size() != files.size())
        return cannot_pack(target, "what was packed reads back differently");
    return temporary.value().publish();
}

}  // namespace mirror::archive
