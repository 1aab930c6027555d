#include "engine/core/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <system_error>

namespace mirror {

namespace {

constexpr std::size_t kBytesPerFile = 1 << 20;
constexpr std::size_t kOlderFiles = 2;

std::shared_ptr<spdlog::logger>& writer() {
    static std::shared_ptr<spdlog::logger> logger;
    return logger;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::Info:
            return spdlog::level::info;
        case LogLevel::Warning:
            return spdlog::level::warn;
        case LogLevel::Error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

void start_log(const std::filesystem::path& file) {
    try {
        std::error_code ignored;
        std::filesystem::create_directories(file.parent_path(), ignored);
        auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kBytesPerFile, kOlderFiles);
        auto logger = std::make_shared<spdlog::logger>("mirror", std::move(sink));
        logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %P %l %v");
        logger->flush_on(spdlog::level::info);
        logger->set_error_handler([](const std::string&) {});  // Its default prints to stderr.
        writer() = std::move(logger);
    } catch (const std::exception&) {
        writer() = nullptr;  // A log that cannot be written is no reason not to work.
    }
}

void log(LogLevel level, std::string_view module, std::string_view sentence) noexcept {
    if (!writer()) return;
    try {
        writer()->log(spdlog_level(level), "{}: {}", module, sentence);
    } catch (const std::exception&) {
        // As above.
    }
}

}  // namespace mirror
