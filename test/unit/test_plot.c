/*
 * test_plot.c
 *		Markup, axes and charts: escaping, fitting, round ticks, and drawings of difficult values.
 */
#include "unit.h"

#include "core/rng.h"
#include "markup_check.h"
#include "plot/charts.h"

/* A buffer as a string; it stays with the buffer. */
static const char *
text_of(MlBuffer *out)
{
	ml_put_u8(out, 0);
	CHECK(out->status == ML_OK);
	return out->status == ML_OK ? (const char *) out->data : "";
}

/* True when escaping text gives want. */
static bool
escapes_to(const char *text, const char *want)
{
	MlEnv env;
	MlBuffer out;
	bool same;

	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	ml_markup_text(&out, text);
	same = strcmp(text_of(&out), want) == 0;
	if (!same)
		printf("# %s, not %s\n", (const char *) out.data, want);
	ml_buffer_free(&out);
	ml_env_close(&env);
	return same;
}

static void
text_is_escaped(void)
{
	CHECK(escapes_to("plain", "plain"));
	CHECK(escapes_to("<a href=\"x\">'&", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;"));
	CHECK(escapes_to("tab\tand\nline", "tab\tand\nline"));
	CHECK(
		escapes_to("\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80", "\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80"));
}

static void
bytes_that_are_no_text_are_replaced(void)
{
	CHECK(escapes_to("a\x01\x7F", "a\xEF\xBF\xBD\xEF\xBF\xBD"));
	/* a lone continuation, a cut sequence, an overlong slash, a surrogate, beyond the last plane */
	CHECK(escapes_to("\x80", "\xEF\xBF\xBD"));
	CHECK(escapes_to("\xE6\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD"));
	CHECK(escapes_to("\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"));
	CHECK(escapes_to("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
	CHECK(escapes_to("\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
	CHECK(escapes_to("\xFF<", "\xEF\xBF\xBD&lt;"));
	/* a noncharacter */
	CHECK(escapes_to("\xEF\xBF\xBE", "\xEF\xBF\xBD"));
}

static void
long_text_is_cut_between_characters(void)
{
	/* e and an accent; a family of three joined emoji: neither is cut inside */
	const char *accent = "aaaae\xCC\x81zzzzzzzz";
	const char *family =
		"aa\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6zzzzzzzz";
	char name[201];

	memset(name, 'W', 200);
	name[200] = '\0';
	CHECK(ml_markup_fit("short", 10.0) == 5);
	CHECK(ml_markup_fit("", 0.0) == 0);
	CHECK(ml_markup_fit(name, 0.5) == 0);
	CHECK(ml_markup_width(name, ml_markup_fit(name, 20.0)) <= 19.0);
	CHECK(ml_markup_fit(name, 20.0) == 19);
	for (double width = 0.0; width < 12.0; width += 0.1)
	{
		CHECK(ml_markup_fit(accent, width) != 5);
		CHECK(ml_markup_fit(family, width) <= 2 || ml_markup_fit(family, width) >= 20);
	}
}

static void
numbers_read_well(void)
{
	static const struct
	{
		double value;
		int digits;
		const char *want;
	} cases[] = {
		{0.0, 4, "0"},
		{-0.0, 4, "0"},
		{1.0, 4, "1"},
		{1234567.0, 4, "1,234,567"},
		{-1234.5678, 4, "-1,235"},
		{0.81234, 4, "0.8123"},
		{12.3456, 4, "12.35"},
		{0.00012345, 3, "0.000123"},
		{1.5e-9, 4, "1.5e-9"},
		{1e300, 4, "1e300"},
		{-2.5e15, 4, "-2.5e15"},
		{999999999999999.0, 4, "999,999,999,999,999"},
		{5e-324, 2, "4.9e-324"},
		{1e100, 1, "1e100"},
		{NAN, 4, "\xE2\x80\x93"},
		{INFINITY, 4, "\xE2\x88\x9E"},
	};
	char room[ML_NUMBER_ROOM];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const char *got = ml_human_number(room, cases[i].value, cases[i].digits);

		CHECK(strcmp(got, cases[i].want) == 0);
		if (strcmp(got, cases[i].want) != 0)
			printf("# %s, not %s\n", got, cases[i].want);
	}
}

static void
units_read_well(void)
{
	char room[ML_NUMBER_ROOM];

	CHECK(strcmp(ml_human_percent(room, 0.8123), "81.2 %") == 0);
	CHECK(strcmp(ml_human_percent(room, 1.0), "100 %") == 0);
	CHECK(strcmp(ml_human_percent(room, -0.0), "0 %") == 0);
	CHECK(strcmp(ml_human_percent(room, 0.0004), "0.040 %") == 0);
	CHECK(strcmp(ml_human_percent(room, 0.99999), "99.999 %") == 0);
	CHECK(strcmp(ml_human_percent(room, NAN), "\xE2\x80\x93") == 0);
	CHECK(strcmp(ml_human_percent(room, 1e300), "1e302") == 0);
	CHECK(strcmp(ml_human_compact(room, 999.0), "999") == 0);
	CHECK(strcmp(ml_human_compact(room, 1234.0), "1.23k") == 0);
	CHECK(strcmp(ml_human_compact(room, 999499.0), "999k") == 0);
	CHECK(strcmp(ml_human_compact(room, 999500.0), "1.00M") == 0);
	CHECK(strcmp(ml_human_compact(room, -45678.0), "-45.7k") == 0);
	CHECK(strcmp(ml_human_bytes(room, 0.0), "0 bytes") == 0);
	CHECK(strcmp(ml_human_bytes(room, 1536.0), "1.5 kB") == 0);
	CHECK(strcmp(ml_human_bytes(room, 41234567.0), "39 MB") == 0);
	CHECK(strcmp(ml_human_bytes(room, NAN), "\xE2\x80\x93") == 0);
	CHECK(strcmp(ml_human_seconds(room, 0.0843), "84 ms") == 0);
	CHECK(strcmp(ml_human_seconds(room, 1.834), "1.83 s") == 0);
	CHECK(strcmp(ml_human_seconds(room, 59.97), "1 min 0 s") == 0);
	CHECK(strcmp(ml_human_seconds(room, 7384.0), "2 h 3 min") == 0);
	CHECK(strcmp(ml_human_seconds(room, 1e9), "11574 days") == 0);
}

/* True when step is 1, 2 or 5 times a power of ten, but for the last digits of large ticks. */
static bool
is_round(double step)
{
	double exponent = log10(step), factor = pow(10.0, exponent - floor(exponent));

	return fabs(factor - 1.0) < 1e-5 || fabs(factor - 2.0) < 1e-5 || fabs(factor - 5.0) < 1e-5 ||
		   fabs(factor - 10.0) < 1e-5;
}

/* What must hold for every axis. */
static void
check_axis(const MlAxis *axis)
{
	double size = fmax(fabs(axis->lo), fabs(axis->hi));

	CHECK(axis->lo < axis->hi);
	CHECK(isfinite(axis->hi - axis->lo));
	CHECK(axis->n_ticks >= 1 && axis->n_ticks <= ML_MAX_TICKS);
	for (int i = 0; i < axis->n_ticks; i++)
	{
		CHECK(axis->ticks[i] >= axis->lo - 1e-6 * size && axis->ticks[i] <= axis->hi + 1e-6 * size);
		CHECK(strlen(axis->labels[i]) > 0 && strlen(axis->labels[i]) < 20);
		if (i > 0)
		{
			CHECK(
				is_round((axis->ticks[axis->n_ticks - 1] - axis->ticks[0]) / (axis->n_ticks - 1)));
			CHECK(axis->ticks[i] > axis->ticks[i - 1]);
			CHECK(strcmp(axis->labels[i], axis->labels[i - 1]) != 0);
		}
	}
}

static void
ticks_are_round(void)
{
	const MlAxisWish wish = {.label = "", .lo = NAN, .hi = NAN};
	const MlAxisWish round = {.label = "", .lo = NAN, .hi = NAN, .round = true};
	MlAxis axis;
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < 20000 && !unit_case_failed; i++)
	{
		double size = pow(10.0, 600.0 * ml_rng_uniform(&rng) - 300.0);
		double lo = size * ml_rng_normal(&rng);
		double hi = lo + size * ml_rng_normal(&rng) * pow(10.0, -8.0 * ml_rng_uniform(&rng));

		ml_axis_fit(&axis, i % 2 ? &wish : &round, fmin(lo, hi), fmax(lo, hi), 2 + i % 6);
		check_axis(&axis);
		if (unit_case_failed)
			printf("# from %.17g to %.17g\n", lo, hi);
	}
}

static void
ranges_without_extent_get_one(void)
{
	static const double cases[][2] = {
		{INFINITY, -INFINITY}, {NAN, NAN},     {0.0, 0.0},       {7.0, 7.0},
		{-1e308, 1e308},       {1e308, 1e308}, {5e-324, 1e-323}, {1e9, 1e9 + 1e-6},
		{-INFINITY, INFINITY}, {-3.0, -3.0},   {1e-310, 1e-310}};
	const MlAxisWish wish = {.label = "", .lo = NAN, .hi = NAN};
	MlAxis axis;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		ml_axis_fit(&axis, &wish, cases[i][0], cases[i][1], 5);
		check_axis(&axis);
		axis.from = 10.0;
		axis.to = 20.0;
		CHECK(ml_axis_place(&axis, -1.7e308) >= 10.0 && ml_axis_place(&axis, 1.7e308) <= 20.0);
	}
	ml_axis_fit(&axis, &wish, 7.0, 7.0, 5);
	CHECK(axis.lo < 7.0 && axis.hi > 7.0);
}

static void
labels_suit_their_axis(void)
{
	MlAxisWish wish = {.label = "", .lo = 0.0, .hi = 1.0, .percent = true};
	MlAxis axis;

	ml_axis_fit(&axis, &wish, NAN, NAN, 5);
	CHECK(axis.n_ticks == 6);
	CHECK(strcmp(axis.labels[0], "0") == 0 && strcmp(axis.labels[1], "20%") == 0);
	CHECK(strcmp(axis.labels[5], "100%") == 0);
	wish = (MlAxisWish){.label = "", .lo = 0.0, .hi = 60000.0};
	ml_axis_fit(&axis, &wish, NAN, NAN, 3);
	CHECK(strcmp(axis.labels[1], "20k") == 0);
	/* whole numbers only */
	wish = (MlAxisWish){.label = "", .lo = 1.0, .hi = 3.0, .whole = true};
	ml_axis_fit(&axis, &wish, NAN, NAN, 6);
	CHECK(axis.n_ticks == 3 && strcmp(axis.labels[1], "2") == 0);
}

/* A line chart of one series with this style, as text in out. */
static const char *
line_chart(MlBuffer *out, MlSeriesStyle style, const double *x, const double *y, size_t n)
{
	MlSeries series = {
		.name = "series", .x = x, .y = y, .n = n, .style = style, .color = 1, .bar_width = 1.0};
	MlLineChart chart = {.caption = {"Title", "Summary", NULL, NULL},
						 .x = {.label = "x", .lo = NAN, .hi = NAN},
						 .y = {.label = "y", .lo = NAN, .hi = NAN},
						 .series = &series,
						 .n_series = 1,
						 .reference = {0.0, 0.0, 1.0, 1.0, "reference"}};

	out->len = 0;
	ml_chart_lines(out, &chart);
	return text_of(out);
}

static void
lines_break_at_gaps(void)
{
	const double x[7] = {0, 1, 2, 3, 4, 5, 6}, y[7] = {1, 2, NAN, 3, NAN, 4, 5};
	MlEnv env;
	MlBuffer out;
	const char *svg, *path;

	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	svg = line_chart(&out, ML_SERIES_AREA, x, y, 7);
	CHECK(markup_error(svg) == NULL);
	path = strstr(svg, "<path class=\"ln s1\" data-n=\"series\" d=\"");
	CHECK(path != NULL);
	if (path)
	{
		char d[300];

		snprintf(d, sizeof d, "%.*s", (int) strcspn(strstr(path, " d=\"") + 4, "\""),
				 strstr(path, " d=\"") + 4);
		CHECK(markup_count(d, "M") == 3 && markup_count(d, "L") == 2);
	}
	/* the lonely point between the gaps is a dot; a broken line has no ground */
	CHECK(markup_count(svg, "<circle class=\"do f1\"") == 1);
	CHECK(markup_count(svg, "class=\"ar ") == 0);
	CHECK(markup_count(svg, "nan") == 0 && markup_count(svg, "inf") == 0);
	ml_buffer_free(&out);
	ml_env_close(&env);
}

static void
long_lines_are_thinned_and_keep_their_peaks(void)
{
	enum
	{
		N = 50000
	};
	static double x[N], y[N];
	MlEnv env;
	MlBuffer out;
	const char *svg;

	for (int i = 0; i < N; i++)
	{
		x[i] = i;
		y[i] = sin(i / 3000.0);
	}
	y[12345] = 10.0;
	y[33333] = -10.0;
	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	svg = line_chart(&out, ML_SERIES_LINE, x, y, N);
	CHECK(markup_error(svg) == NULL);
	CHECK(strlen(svg) < 15000);
	/* the highest and lowest places of the plot, of the legend and the label above it 28 + 24 */
	CHECK(markup_count(svg, " 52L") >= 1);
	CHECK(markup_count(svg, " 252L") >= 1);
	ml_buffer_free(&out);
	ml_env_close(&env);
}

static void
charts_cope_with_any_values(void)
{
	static const double odd[] = {0.0,       1.0,   -1.0,   NAN,    INFINITY,
								 -INFINITY, 1e308, -1e308, 5e-324, 1e-5};
	MlEnv env;
	MlBuffer out;
	MlRng rng;

	ml_rng_seed(&rng, 2, 0);
	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	for (int i = 0; i < 4000 && !unit_case_failed; i++)
	{
		double x[8], y[8];
		size_t n = ml_rng_below(&rng, 9);
		const char *svg;

		for (size_t k = 0; k < n; k++)
		{
			x[k] = odd[ml_rng_below(&rng, sizeof odd / sizeof odd[0])];
			y[k] = odd[ml_rng_below(&rng, sizeof odd / sizeof odd[0])];
		}
		svg = line_chart(&out, (MlSeriesStyle) (i % 4), x, y, n);
		CHECK(markup_error(svg) == NULL);
		CHECK(strlen(svg) < 8000);
	}
	ml_buffer_free(&out);
	ml_env_close(&env);
}

static void
bars_are_in_proportion(void)
{
	char name[201];
	const MlBar bars[] = {{"first", 8.0, "8"},
						  {"second", 4.0, "4"},
						  {name, NAN, "\xE2\x80\x93"},
						  {"<zero>", 0.0, "0"}};
	const MlBarChart chart = {.caption = {"T", "S", NULL, NULL}, .bars = bars, .n = 4};
	const MlBarChart none = {.caption = {"T", "S", "M", NULL}, .bars = bars, .n = 0};
	MlEnv env;
	MlBuffer out;
	const char *svg, *first, *second;
	double a, b;

	memset(name, 'W', 200);
	name[200] = '\0';
	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	ml_chart_bars(&out, &chart);
	svg = text_of(&out);
	CHECK(markup_error(svg) == NULL);
	CHECK(markup_count(svg, "class=\"f1\"") == 2);
	CHECK(markup_count(svg, "\xE2\x80\xA6") == 1 && markup_count(svg, name) == 1);
	first = strstr(svg, "class=\"f1\"");
	second = first ? strstr(first + 1, "class=\"f1\"") : NULL;
	CHECK(second != NULL);
	if (second)
	{
		a = strtod(strstr(first, "width=\"") + 7, NULL);
		b = strtod(strstr(second, "width=\"") + 7, NULL);
		CHECK_NEAR(a / b, 2.0, 1e-3);
	}
	out.len = 0;
	ml_chart_bars(&out, &none);
	CHECK(markup_error(text_of(&out)) == NULL);
	ml_buffer_free(&out);
	ml_env_close(&env);
}

/* A heat map of n classes whose errors go to the next class, as text in out. */
static const char *
heat_map(MlBuffer *out, size_t n, double *values, double *shades, char **labels)
{
	MlHeatMap map = {.caption = {"T", "S", NULL, NULL},
					 .n = n,
					 .labels = labels,
					 .values = values,
					 .shades = shades,
					 .row_title = "Actual",
					 .column_title = "Predicted"};

	for (size_t i = 0; i < n * n; i++)
	{
		values[i] = i / n == i % n ? 90.0 : (i / n + 1) % n == i % n ? 10.0 : 0.0;
		shades[i] = values[i] / 100.0;
	}
	out->len = 0;
	ml_chart_heat(out, &map);
	return text_of(out);
}

static void
heat_maps_of_all_sizes(void)
{
	enum
	{
		N = 100
	};
	static double values[N * N], shades[N * N];
	char names[N][16], *labels[N];
	MlEnv env;
	MlBuffer out;
	const char *svg;

	for (int k = 0; k < N; k++)
	{
		snprintf(names[k], sizeof names[k], "<%d&>", k);
		labels[k] = names[k];
	}
	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	svg = heat_map(&out, 3, values, shades, labels);
	CHECK(markup_error(svg) == NULL);
	/* six cells that are not zero, each with count and share */
	CHECK(markup_count(svg, "fill-opacity") == 6);
	CHECK(markup_count(svg, ">90.0 %</text>") == 3 && markup_count(svg, ">10</text>") == 3);
	svg = heat_map(&out, 26, values, shades, labels);
	CHECK(markup_error(svg) == NULL);
	CHECK(markup_count(svg, "fill-opacity") == 52);
	/* every name twice, upright on top */
	CHECK(markup_count(svg, ">&lt;25&amp;&gt;</text>") == 2);
	svg = heat_map(&out, N, values, shades, labels);
	CHECK(markup_error(svg) == NULL);
	/* one path for each tint that occurs: 0.9 on the diagonal, 0.1 beside it */
	CHECK(markup_count(svg, "fill-opacity") == 2);
	CHECK(strlen(svg) < 25000);
	svg = heat_map(&out, 1, values, shades, labels);
	CHECK(markup_error(svg) == NULL);
	CHECK(heat_map(&out, 0, values, shades, labels)[0] == '\0');
	ml_buffer_free(&out);
	ml_env_close(&env);
}

static void
drawings_alone_carry_their_style(void)
{
	const MlCaption caption = {"<T>", "\"S\"", "<M>", NULL};
	MlEnv env;
	MlBuffer out;
	const char *svg;

	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	ml_svg_begin(&out, &caption, 360.0, 10.2);
	ml_svg_end(&out, &caption);
	svg = text_of(&out);
	CHECK(markup_error(svg) == NULL);
	CHECK(markup_count(svg, "xmlns=\"http://www.w3.org/2000/svg\"") == 1);
	CHECK(markup_count(svg, "<style>") == 1 && markup_count(svg, "prefers-color-scheme:dark") == 1);
	CHECK(markup_count(svg, "<title>&lt;T&gt; \xC2\xB7 &lt;M&gt;</title>"
							"<desc>&quot;S&quot;</desc>") == 1);
	CHECK(markup_count(svg, "viewBox=\"0 0 392 89\"") == 1);
	ml_buffer_free(&out);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(text_is_escaped);
	RUN(bytes_that_are_no_text_are_replaced);
	RUN(long_text_is_cut_between_characters);
	RUN(numbers_read_well);
	RUN(units_read_well);
	RUN(ticks_are_round);
	RUN(ranges_without_extent_get_one);
	RUN(labels_suit_their_axis);
	RUN(lines_break_at_gaps);
	RUN(long_lines_are_thinned_and_keep_their_peaks);
	RUN(charts_cope_with_any_values);
	RUN(bars_are_in_proportion);
	RUN(heat_maps_of_all_sizes);
	RUN(drawings_alone_carry_their_style);
	return unit_end();
}
