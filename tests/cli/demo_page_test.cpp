// The parts of the demo that need no model: the page, the identity curve, the row of pictures.

#include "app/cli/demo_page.h"

#include <gmock/gmock.h>

#include "app/cli/picture_strip.h"
#include "app/cli/similarity_chart.h"

namespace mirror::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

DemoPage page() {
    DemoPage page;
    page.reference = "reference.png";
    page.reference_name = "Mara";
    page.strip = "steps.png";
    page.strip_steps = {1, 4, 8};
    page.clip = {"clip.mp4", "clip.png", "clip-identity.svg", {"a girl img smiles"}, 0.713, 17, 16, 96, 96, 4.0};
    page.story = {"story.mp4", "story.png", "", {"one", "two", "three"}, {}, 51, 0, 96, 96, 12.0};
    page.facts = {{"Model", "pocket"}};
    return page;
}

TEST(DemoPage, ShowsEverythingBesideTheReference) {
    const std::string html = html_of(page());
    EXPECT_EQ(count(html, "src=\"reference.png\""), 2u);
    for (const char* part :
         {"src=\"clip.mp4\"", "poster=\"story.png\"", "src=\"steps.png\"", "<li>8</li>", "One picture of Mara",
          "<q>two</q>", "0.71 on average", "16 of 17 frames", "<dd>pocket</dd>"})
        EXPECT_THAT(html, HasSubstr(part));
    EXPECT_THAT(html, Not(HasSubstr("are noise")));
    EXPECT_EQ(count(html, "identity.svg"), 1u);
    for (const char* tag : {"div", "figure", "figcaption", "p", "ol", "li", "dl", "main", "video", "q", "h2"})
        EXPECT_EQ(count(html, std::string("<") + tag + ">") + count(html, std::string("<") + tag + " "),
                  count(html, std::string("</") + tag + ">"))
            << tag;
}

TEST(DemoPage, TextFromOutsideStaysText) {
    DemoPage other = page();
    other.reference_name = "<b>\"M&M\"";
    other.clip.prompts = {"<script>alert(1)</script>"};
    other.notices = {"a < b"};
    other.random_weights = true;
    const std::string html = html_of(other);
    EXPECT_THAT(html, Not(HasSubstr("<script>")));
    EXPECT_THAT(html, HasSubstr("&lt;b&gt;&quot;M&amp;M&quot;"));
    EXPECT_THAT(html, HasSubstr("a &lt; b"));
    EXPECT_THAT(html, HasSubstr("are noise"));
}

TEST(SimilarityChart, BreaksAtCutsAndWhereNoFaceIs) {
    const std::string svg = svg_of({{0.5, 0.6, {}, 0.7, 0.8, 0.9}, {4}, 0.2});
    EXPECT_EQ(count(svg, "<circle"), 5u);
    EXPECT_EQ(count(svg, "<polyline"), 3u);  // 1-2, 4, 5-6
    EXPECT_EQ(count(svg, "class=\"cut\""), 1u);
    EXPECT_THAT(svg, HasSubstr("nearest other person"));
    EXPECT_THAT(svg, HasSubstr("shot 2"));
    EXPECT_TRUE(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SimilarityChart, CanBeEmptyOrNegative) {
    EXPECT_EQ(count(svg_of({}), "<circle"), 0u);
    EXPECT_EQ(count(svg_of({{{}, {}}, {}, {}}), "<polyline"), 0u);
    EXPECT_THAT(svg_of({{-0.4}, {}, {}}), Not(HasSubstr("cy=\"-")));
}

TEST(PictureStrip, EnlargesEachPictureToOneHeight) {
    const Frame black{2, 2, std::vector<std::uint8_t>(12, 0)};
    const Frame grey{4, 2, std::vector<std::uint8_t>(24, 100)};
    const Frame strip = picture_strip({black, grey}, 8, 3);
    EXPECT_EQ(strip.height, 8);
    EXPECT_EQ(strip.width, 8 + 3 + 16);
    EXPECT_EQ(strip.row(4)[0], 0);
    EXPECT_EQ(strip.row(4)[3 * 9], 255);
    EXPECT_EQ(strip.row(7)[3 * 26], 100);
}

TEST(PictureStrip, PositionsAreSpreadWithBothEnds) {
    EXPECT_THAT(spread_positions(20, 8), ElementsAre(0, 3, 5, 8, 11, 14, 16, 19));
    EXPECT_THAT(spread_positions(3, 8), ElementsAre(0, 1, 2));
    EXPECT_THAT(spread_positions(5, 1), ElementsAre(0));
    EXPECT_TRUE(spread_positions(0, 8).empty());
}

}  // namespace
}  // namespace mirror::cli
