#include "engine/media/ffmpeg.h"

#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "engine/core/utf8.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/log.h>
}

namespace mirror::media {
namespace {

thread_local std::string last_error;

void keep_last_error(void*, int level, const char* format, va_list arguments) {
    if (level > AV_LOG_ERROR) return;
    char line[256] = "";
    std::vsnprintf(line, sizeof line, format, arguments);
    last_error = line;
    while (!last_error.empty() && (last_error.back() == '\n' || last_error.back() == '.')) last_error.pop_back();
}

}  // namespace

void silence_ffmpeg() {
    static std::once_flag once;
    std::call_once(once, [] { av_log_set_callback(keep_last_error); });
}

std::string describe_ffmpeg_error(int code) {
    const bool vague = code == AVERROR_INVALIDDATA || code == AVERROR_EXTERNAL || code == AVERROR(EINVAL);
    if (vague && !last_error.empty()) return escape_for_message(last_error);
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    return text;
}

std::string ffmpeg_url(const std::filesystem::path& file) { return "file:" + file.string(); }

}  // namespace mirror::media
