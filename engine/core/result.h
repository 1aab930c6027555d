#pragma once

// What went wrong, and a value that may be missing because of it. Parsers and edges return Result; the engine throws
// EngineError.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace mirror {

enum class ErrorCode {
    Internal,
    Cancelled,
    InvalidRequest,
    MissingFile,
    MalformedFile,
    MissingTensor,
    ShapeMismatch,
    NoFaceFound,
    DeviceUnavailable,
    OutOfMemory,
    WriteFailed,
};

// `detail` is one English sentence for the user: it names the file, tensor, field or option and what to do.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string detail;
};

// The engine's exception. what() is the sentence of Error::detail.
class EngineError : public std::runtime_error {
public:
    EngineError(ErrorCode code, const std::string& detail) : std::runtime_error(detail), code_(code) {}
    explicit EngineError(const Error& error) : EngineError(error.code, error.detail) {}

    ErrorCode code() const { return code_; }
    Error error() const { return {code_, what()}; }

private:
    ErrorCode code_;
};

// A value, or the reason there is none.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    const Error& error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;

inline Status success() { return std::monostate{}; }

// The value, or the error thrown as EngineError: for engine code that calls a parser.
template <typename T>
T value_or_throw(Result<T> result) {
    if (!result.ok()) throw EngineError(result.error());
    return std::move(result).value();
}

}  // namespace mirror
