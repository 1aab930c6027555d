// Reading option values strictly.

#include "app/cli/option_values.h"

#include <gtest/gtest.h>

#include <clocale>

#include "app/cli/console.h"

namespace mirror::cli::testing {

TEST(OptionValues, NumbersAreReadWholeAndWithoutLocale) {
    std::setlocale(LC_ALL, "de_DE.UTF-8");
    EXPECT_EQ(number_value("--x", "6.5", 0, 100), 6.5);
    EXPECT_EQ(integer_value("--x", "-3", -5, 5), -3);
    EXPECT_EQ(unsigned_value("--x", "18446744073709551615"), 18446744073709551615u);
    for (const char* text : {"", " 1", "1 ", "1.5.2", "0x10", "1,5", "+1", "one"})
        EXPECT_THROW(number_value("--x", text), UsageError) << text;
    for (const char* text : {"", "1.0", "1e3", "6", "-6", "99999999999999999999"})
        EXPECT_THROW(integer_value("--x", text, -5, 5), UsageError) << text;
    std::setlocale(LC_ALL, "C");
}

TEST(OptionValues, SizesStrengthsAndBytes) {
    EXPECT_EQ(size_value("--size", "192x128"), std::make_pair(192, 128));
    for (const char* text : {"192", "192x", "x128", "192X128", "8x16", "192x130", "8208x16", "192x128x3"})
        EXPECT_THROW(size_value("--size", text), UsageError) << text;
    const IdentityStrength strength = strength_value("--s", "0.8:3-10");
    EXPECT_EQ(strength.value, 0.8);
    EXPECT_EQ(strength.first_step, 3);
    EXPECT_EQ(strength.last_step, 10);
    EXPECT_EQ(strength_value("--s", "0").last_step, std::nullopt);
    for (const char* text : {"", "-0.1", "1.51", "nan", "1:", "1:3", "1:0-3", "1:4-3", "1:1-1001", "1:1-2-3"})
        EXPECT_THROW(strength_value("--s", text), UsageError) << text;
    EXPECT_EQ(bytes_value("--b", "8GiB"), 8ull << 30);
    EXPECT_EQ(bytes_value("--b", "500MB"), 500'000'000ull);
    EXPECT_EQ(bytes_value("--b", "1.5KiB"), 1536ull);
    EXPECT_EQ(bytes_value("--b", "1024"), 1024ull);
    for (const char* text : {"", "GiB", "-1GiB", "0", "infGiB", "8 GiB", "8gib"})
        EXPECT_THROW(bytes_value("--b", text), UsageError) << text;
}

TEST(OptionValues, DevicesAndText) {
    EXPECT_EQ(device_value("--d", "cuda:3"), "cuda:3");
    for (const char* text : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"})
        EXPECT_THROW(device_value("--d", text), UsageError) << text;
    EXPECT_THROW(utf8_value("--p", "\xc3"), UsageError);
    EXPECT_EQ(utf8_value("--p", "\xc3\xa9"), "\xc3\xa9");
}

TEST(Console, ALineIsOneLineUnder300Bytes) {
    EXPECT_EQ(one_line("a\nb"), "a\\nb");
    EXPECT_LT(one_line(std::string(1000, 'x')).size(), 300u);
}

}  // namespace mirror::cli::testing
