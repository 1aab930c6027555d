#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "engine/core/frame.h"

namespace mirror::app {

// Holds the newest preview only: a slow window skips pictures instead of queueing them. May be used from any thread.
class PreviewMailbox {
public:
    // True when the box was empty, that is when the reader has to be told.
    bool put(SharedPreview preview) {
        const std::scoped_lock lock(mutex_);
        return std::exchange(preview_, std::move(preview)) == nullptr;
    }

    SharedPreview take() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(preview_, nullptr);
    }

private:
    std::mutex mutex_;
    SharedPreview preview_;
};

}  // namespace mirror::app
