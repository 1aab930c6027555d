#pragma once

// The one place where exceptions become errors. Names no torch type.

#include <functional>
#include <optional>
#include <utility>

#include "engine/core/result.h"

namespace mirror::engine {

// The exception that is being handled, as an error with one sentence. Call it inside a catch block only.
Error error_of_current_exception();

// Runs `work`; whatever it throws comes back as an error. No exception leaves.
Status guarded(const std::function<void()>& work);

// The same for work with a value.
template <typename T>
Result<T> guarded_value(const std::function<T()>& work) {
    std::optional<T> value;
    const Status status = guarded([&] { value.emplace(work()); });
    if (!status) return status.error();
    return std::move(*value);
}

}  // namespace mirror::engine
