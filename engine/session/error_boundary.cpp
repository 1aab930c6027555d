#include "engine/session/error_boundary.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <new>
#include <string>

#include "engine/core/log.h"
#include "engine/core/utf8.h"

namespace mirror::engine {

namespace {

constexpr std::size_t kLongestReason = 160;

// libtorch appends a stack trace and hints; the first line says it.
std::string first_line(const std::string& message) {
    std::string line = message.substr(0, message.find('\n'));
    if (line.size() > kLongestReason) line = line.substr(0, kLongestReason) + "...";
    return line;
}

// How libtorch's allocators say it, of the CPU and of CUDA.
bool is_about_memory(const std::string& message) {
    constexpr std::array kSayings{"not enough memory", "out of memory", "can't allocate memory"};
    return std::ranges::any_of(kSayings, [&](const char* saying) { return message.find(saying) != std::string::npos; });
}

Error error_of_torch(const std::string& message) {
    if (is_about_memory(message)) return {ErrorCode::OutOfMemory, "the memory is not enough for this request"};
    const std::string reason = first_line(message);
    if (message.find("CUDA") != std::string::npos || message.find("cuda") != std::string::npos)
        return {ErrorCode::DeviceUnavailable, "the device refused: " + reason};
    return {ErrorCode::Internal, "the computation failed: " + reason};
}

}  // namespace

Error error_of_current_exception() {
    try {
        throw;
    } catch (const EngineError& error) {
        return error.error();
    } catch (const std::bad_alloc&) {
        return {ErrorCode::OutOfMemory, "the memory is not enough for this request"};
    } catch (const c10::Error& error) {
        return error_of_torch(error.what_without_backtrace());
    } catch (const std::filesystem::filesystem_error& error) {
        return {ErrorCode::MissingFile,
                "cannot use '" + escape_for_message(error.path1()) + "': " + error.code().message()};
    } catch (const std::exception& error) {
        return {ErrorCode::Internal, "unexpected failure: " + first_line(error.what())};
    } catch (...) {
        return {ErrorCode::Internal, "unexpected failure of an unknown kind"};
    }
}

Status guarded(const std::function<void()>& work) {
    try {
        work();
        return success();
    } catch (...) {
        const Error error = error_of_current_exception();
        if (error.code != ErrorCode::Cancelled) log(LogLevel::Error, "session", error.detail);
        return error;
    }
}

}  // namespace mirror::engine
