#include "engine/tensor/recycled_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <unordered_map>

namespace mirror::engine {

namespace {

constexpr std::size_t kSmallest = std::size_t{1} << 20;  // Smaller pieces are the C library's business.
constexpr std::size_t kMostKept = std::size_t{512} << 20;

// Pieces from libtorch's own allocator, the oldest kept one given up first.
class Recycler {
public:
    explicit Recycler(c10::Allocator& source) : source_(source) {}

    void* take(std::size_t bytes) {
        if (void* const kept = take_kept(bytes)) return kept;
        try {
            return take_fresh_or_what_is_kept(bytes);
        } catch (const std::exception&) {
            const std::lock_guard lock(mutex_);
            in_use_ -= bytes;
            throw;
        }
    }

    void give(void* memory) {
        const std::lock_guard lock(mutex_);
        const auto size = sizes_.find(memory);
        if (size == sizes_.end()) return source_.raw_deallocate(memory);  // A small piece, by way of raw_deleter().
        in_use_ -= size->second;
        if (size->second > kMostKept) {
            source_.raw_deallocate(memory);
            sizes_.erase(size);
            return;
        }
        kept_bytes_ += size->second;
        kept_.push_back({memory, size->second});
        drop_until_within(std::min<std::size_t>(kMostKept, most_in_use_ - in_use_));
    }

    void release() {
        const std::lock_guard lock(mutex_);
        drop_until_within(0);
        most_in_use_ = in_use_;
    }

    RecycledMemory state() const {
        const std::lock_guard lock(mutex_);
        return {in_use_, kept_bytes_, most_in_use_};
    }

private:
    struct Piece {
        void* memory = nullptr;
        std::size_t bytes = 0;
    };

    // The newest kept piece of a fitting size, still warm in the caches. Without one, room is made under the mark.
    void* take_kept(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        const auto fits = [&](const Piece& piece) { return piece.bytes >= bytes && piece.bytes - bytes <= bytes / 16; };
        const auto found = std::find_if(kept_.rbegin(), kept_.rend(), fits);
        in_use_ += found == kept_.rend() ? bytes : found->bytes;
        most_in_use_ = std::max(most_in_use_, in_use_);
        if (found == kept_.rend()) {
            drop_until_within(std::min(kMostKept, most_in_use_ - in_use_));
            return nullptr;
        }
        void* const memory = found->memory;
        kept_bytes_ -= found->bytes;
        kept_.erase(std::next(found).base());
        return memory;
    }

    // Where the system has nothing more, what is kept goes back to it first.
    void* take_fresh_or_what_is_kept(std::size_t bytes) {
        try {
            return take_fresh(bytes);
        } catch (const std::exception&) {
            const std::lock_guard lock(mutex_);
            if (kept_.empty()) throw;
            drop_until_within(0);
        }
        return take_fresh(bytes);
    }

    void* take_fresh(std::size_t bytes) {
        void* const fresh = source_.raw_allocate(bytes);
        const std::lock_guard lock(mutex_);
        sizes_.emplace(fresh, bytes);
        return fresh;
    }

    void drop_until_within(std::size_t most) {
        while (kept_bytes_ > most) {
            source_.raw_deallocate(kept_.front().memory);
            sizes_.erase(kept_.front().memory);
            kept_bytes_ -= kept_.front().bytes;
            kept_.pop_front();
        }
    }

    c10::Allocator& source_;
    mutable std::mutex mutex_;
    std::unordered_map<void*, std::size_t> sizes_;  // Of all pieces, in use or kept.
    std::deque<Piece> kept_;                        // Oldest first.
    std::size_t in_use_ = 0;
    std::size_t kept_bytes_ = 0;
    std::size_t most_in_use_ = 0;
};

// Lives as long as the program: tensors may be let go after main().
Recycler& recycler() {
    static auto* const recycler = new Recycler(*c10::GetDefaultCPUAllocator());
    return *recycler;
}

void give_back(void* memory) { recycler().give(memory); }

class RecyclingAllocator : public c10::Allocator {
public:
    c10::DataPtr allocate(std::size_t bytes) override {
        if (bytes < kSmallest) return c10::GetDefaultCPUAllocator()->allocate(bytes);
        void* const memory = recycler().take(bytes);
        return {memory, memory, &give_back, c10::Device(c10::kCPU)};
    }

    // oneDNN's memory is allocated and let go by address alone.
    c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

    void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
};

}  // namespace

void recycle_cpu_memory() {
    static auto* const allocator = new RecyclingAllocator;
    c10::SetCPUAllocator(allocator, 1);
}

void release_recycled_memory() { recycler().release(); }

RecycledMemory recycled_memory() { return recycler().state(); }

}  // namespace mirror::engine
