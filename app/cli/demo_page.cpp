#include "app/cli/demo_page.h"

#include <array>
#include <cstdio>

namespace mirror::cli {

namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Magic Mirror: one drawn person, four shots</title>
<style>
:root{color-scheme:light dark;--paper:#faf9f6;--ink:#1c1d1f;--soft:#6b6f76;--line:#e4e2dc;--card:#fff;--mark:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--paper:#15161a;--ink:#ecebe7;--soft:#a3a7ad;--line:#2c2f36;--card:#1c1e23;--mark:#7fb0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Georgia,serif}
main{max-width:60rem;margin:0 auto;padding:4rem 1.5rem 5rem}
h1{font-size:clamp(1.9rem,4.5vw,2.9rem);line-height:1.15;font-weight:500;letter-spacing:-.015em;margin:.4rem 0 1rem;max-width:24ch}
h2{font-size:1.35rem;font-weight:500;margin:4rem 0 .3rem}
p{margin:.4rem 0 1.2rem;max-width:38rem}
.eyebrow,figcaption,dl,.notice,footer{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.eyebrow{font-size:.78rem;letter-spacing:.12em;text-transform:uppercase;color:var(--soft)}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.5rem;align-items:start;margin-top:1.5rem}
@media(max-width:40rem){.pair{grid-template-columns:1fr}}
figure{margin:0}
img,video{display:block;width:100%;height:auto;border-radius:6px;background:var(--line)}
img.chart{background:none;border-radius:0}
figcaption{font-size:.85rem;line-height:1.5;color:var(--soft);margin-top:.6rem}
q{quotes:"\201C" "\201D";font-style:italic}
ol.shots{font-size:.98rem;padding-left:1.2rem;margin:1rem 0 0}
ol.shots li{margin:.3rem 0}
ol.steps{list-style:none;display:flex;justify-content:space-between;padding:0;margin:.5rem 0 0;font:.78rem system-ui,sans-serif;color:var(--soft)}
ol.steps li{flex:1;text-align:center}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;font-size:.88rem;border-top:1px solid var(--line);padding-top:1.2rem;margin-top:1rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.notice{border-left:3px solid var(--mark);padding:.2rem 0 .2rem 1rem;font-size:.95rem;max-width:38rem;margin:1rem 0}
pre{font:.85rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:1rem;overflow-x:auto}
footer{margin-top:4rem;padding-top:1.2rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--soft)}
</style>
</head>
<body>
<main>
)";

constexpr const char* kOwnPicture =
    "<h2>Your own picture</h2>\n<p>Draw somebody, or take one of the four people in <em>resources/examples</em>: a "
    "face "
    "that is turned to you and about two thirds as high as the picture. The word <em>img</em> stands behind the person "
    "that the picture shows.</p>\n"
    "<pre>magic-mirror demo demo --reference my-drawing.png\n"
    "magic-mirror generate --reference my-drawing.png --prompt \"a man img is laughing in the park\" -o "
    "clip.mp4</pre>\n";

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char character : text) {
        switch (character) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += character;
        }
    }
    return safe;
}

std::string two_digits(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f", value);
    return text.data();
}

std::string image(const std::string& file, const std::string& words, const char* kind = "") {
    return "<img " + std::string(kind) + "src=\"" + escaped(file) + "\" alt=\"" + escaped(words) + "\">";
}

std::string video_of(const DemoVideo& video, const std::string& words) {
    return "<video src=\"" + escaped(video.file) + "\" poster=\"" + escaped(video.poster) + "\" width=\"" +
           std::to_string(video.width) + "\" height=\"" + std::to_string(video.height) +
           "\" autoplay loop muted playsinline controls aria-label=\"" + escaped(words) + "\"></video>";
}

std::string figure(const std::string& content, const std::string& caption) {
    return "<figure>" + content + "<figcaption>" + caption + "</figcaption></figure>\n";
}

std::string identity_of(const DemoVideo& video, const std::optional<double>& nearest_other) {
    if (video.chart.empty()) return "";
    std::string caption = "Similarity of each frame's face to the reference";
    if (video.similarity) caption += ", " + two_digits(*video.similarity) + " on average";
    if (nearest_other)
        caption += "; the most similar of the other people in the examples reaches " + two_digits(*nearest_other);
    caption +=
        ". A face was found in " + std::to_string(video.faces) + " of " + std::to_string(video.frames) + " frames.";
    return figure(image(video.chart, "Identity curve", "class=\"chart\" "), caption);
}

std::string opening(const DemoPage& page) {
    const std::string who = page.reference_name.empty() ? "the person in your picture" : page.reference_name;
    std::string html =
        "<p class=\"eyebrow\">Magic Mirror</p>\n<h1>One picture of " + escaped(who) +
        ", and a sentence for every shot</h1>\n<p>The model has not seen this person before. It gets the "
        "picture on the left and a sentence, and makes the clip on the right; then three more shots in "
        "other places.</p>\n";
    if (page.random_weights)
        html +=
            "<p class=\"notice\">The weights of this model are random: nothing was trained, and all pictures below are "
            "noise.</p>\n";
    for (const std::string& notice : page.notices) html += "<p class=\"notice\">" + escaped(notice) + "</p>\n";
    html += "<div class=\"pair\">\n" + figure(image(page.reference, "The reference"),
                                              "The reference: all that is known of "
                                              "the person.");
    html += figure(video_of(page.clip, "The clip"), "<q>" + escaped(page.clip.prompts.front()) + "</q>") + "</div>\n";
    return html + identity_of(page.clip, page.nearest_other);
}

std::string steps(const DemoPage& page) {
    if (page.strip_steps.empty()) return "";
    std::string html =
        "<h2>How the picture forms</h2>\n<p>The clip begins as noise. After every step the program shows what it has, "
        "seen "
        "through a small linear map instead of the decoder: the middle of the clip, from the first step to the "
        "last.</p>\n<figure>" +
        image(page.strip, "The middle of the clip after some of the steps") + "<ol class=\"steps\">";
    for (const int step : page.strip_steps) html += "<li>" + std::to_string(step) + "</li>";
    return html + "</ol></figure>\n";
}

std::string story(const DemoPage& page) {
    std::string html =
        "<h2>Three shots, the same person</h2>\n<p>Each shot is made from the same picture, with a sentence "
        "and a seed of its own, and cut one after the other.</p>\n<div class=\"pair\">\n";
    html += figure(image(page.reference, "The reference"), "The reference once more.");
    std::string shots = "<ol class=\"shots\">";
    for (const std::string& prompt : page.story.prompts) shots += "<li><q>" + escaped(prompt) + "</q></li>";
    html += "<div>" + video_of(page.story, "The three shots") + shots + "</ol></div></div>\n";
    return html + identity_of(page.story, page.nearest_other);
}

std::string facts(const DemoPage& page) {
    std::string html = "<h2>What was run</h2>\n<dl>";
    for (const auto& [name, value] : page.facts)
        html += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>";
    return html + "</dl>\n";
}

}  // namespace

std::string html_of(const DemoPage& page) {
    return kHead + opening(page) + steps(page) + story(page) + facts(page) + kOwnPicture +
           "<footer>Made by <em>magic-mirror demo</em>. Both videos carry the recipe that they were made "
           "by.</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace mirror::cli
