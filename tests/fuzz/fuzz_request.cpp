// The recipe of a video. What is accepted is in range, or check_request says what is not, and is written the same way
// again.

#include "engine/core/request.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    const auto request = request_from_json(std::string(fuzz::text_of(data, size)));
    if (!request) {
        fuzz::require_sentence(request.error().detail);
        return 0;
    }
    if (const Status status = check_request(request.value()); !status) fuzz::require_sentence(status.error().detail);
    const auto again = request_from_json(request_to_json(request.value()));
    fuzz::require(again.ok() && again.value() == request.value());
    return 0;
}
