#include "app/cli/run_observer.h"

#include <array>
#include <cstdio>

#include "engine/core/utf8.h"
#include "engine/media/png_sink.h"
#include "engine/session/output_rules.h"

namespace mirror::cli {

namespace {

// step-0007-02.png: the third latent frame after step 7.
Status write_preview(const PreviewClip& clip, const PreviewFolder& previews) {
    for (std::size_t i = 0; i < clip.frames.size(); ++i) {
        std::array<char, 48> name{};
        std::snprintf(name.data(), name.size(), "step-%04d-%02zu.png", clip.step, i);
        const auto file = previews.folder / name.data();
        if (const Status allowed = engine::check_output(file, previews.files); !allowed) return allowed;
        if (const Status written = media::write_png(file, clip.frames[i]); !written) return written;
    }
    return success();
}

std::string seconds_text(double seconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%8.2f s", seconds);
    return text.data();
}

}  // namespace

Observer make_observer(Invocation& invocation, Report report, const PreviewFolder& previews) {
    Observer observer;
    observer.preview_every_steps = previews.folder.empty() ? 0 : 1;
    Console& console = invocation.console;
    const auto warn = [&console, report](const std::string& sentence) {
        if (report == Report::Json) console.event(warning_event(sentence));
        console.warn(sentence);
    };
    observer.tell = [&console, report, previews, warn, failed = false](const ProgressEvent& event) mutable {
        if (const auto* progress = std::get_if<Progress>(&event)) {
            if (report == Report::Json)
                console.event(progress_event(*progress));
            else
                console.show_progress(*progress);
        } else if (const auto* preview = std::get_if<SharedPreview>(&event)) {
            const Status written = write_preview(**preview, previews);
            if (!written && !failed) warn(written.error().detail);  // Once: the next ones fail alike.
            failed |= !written;
        } else if (const auto* notice = std::get_if<Notice>(&event)) {
            warn(notice->detail);
        }
    };
    return observer;
}

void report_done(Invocation& invocation, Report report, const FinishedRun& run) {
    Console& console = invocation.console;
    console.clear_progress();
    if (report == Report::Json) {
        console.event(done_event(run.output.string()));
        return;
    }
    double total = 0;
    for (const engine::StageTime& time : run.report.times) {
        console.print_line(seconds_text(time.seconds) + "  " + to_text(time.stage));
        total += time.seconds;
    }
    console.print_line(seconds_text(total) + "  together");
    console.print_line("Wrote " + escape_for_message(run.output.string(), 4096) + " (" + run.description + ")." +
                       (run.report.random_weights ? " The model has random weights, so this is a noise picture." : ""));
}

}  // namespace mirror::cli
