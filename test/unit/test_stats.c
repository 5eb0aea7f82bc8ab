/*
 * test_stats.c
 *		Distributions against values computed with 60 digits.
 *
 * The values are the regularised incomplete beta and gamma functions and erfc
 * of mpmath 1.3 at 60 digits. They cover far tails and a million degrees of
 * freedom, where textbook formulas lose most of their digits.
 */
#include "unit.h"

#include "core/stats.h"

/* Relative: tails are not compared with 1. */
#define CHECK_DIGITS(got, want) CHECK(fabs((got) - (want)) <= 1e-11 * (want))

static void
student_tails(void)
{
	static const struct
	{
		double t, df, p;
	} cases[] = {
		{0.001, 1, 0.99936338043983888211},   {10, 2.5, 0.0044414957673074247731},
		{3, 1000, 0.0027667090442381924642},  {0.1, 1000000.0, 0.92034434549204315737},
		{0.001, 1.5, 0.99931853022671973935}, {0.001, 1000000.0, 0.99920211577164908982},
		{0.5, 1.5, 0.68056711066994000858},   {0.5, 1000000.0, 0.61707518747237138777},
		{0.99, 1.5, 0.4547520265136772633},   {0.99, 1000000.0, 0.32217435856068259338},
		{1.01, 1.5, 0.44755469400654439909},  {1.01, 1000000.0, 0.31249553442061981875},
		{2, 1.5, 0.22418833035605106631},     {2, 1000000.0, 0.045500533851319208421},
		{3.5, 1.5, 0.10822595498965775711},   {3.5, 1000000.0, 0.00046527839368103497483},
		{5, 1.5, 0.065375767621156236318},    {5, 1000000.0, 5.733997870890741569e-7},
		{8, 1.5, 0.032918350940906821208},    {8, 1000000.0, 1.245506343320251961e-15},
		{30, 1.5, 0.0045856423229794051745},  {30, 1000000.0, 1.2020094233663437883e-197},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		CHECK_DIGITS(ml_student_p_two_sided(cases[i].t, cases[i].df), cases[i].p);
		CHECK_DIGITS(ml_student_p_two_sided(-cases[i].t, cases[i].df), cases[i].p);
	}
	CHECK(ml_student_p_two_sided(0, 5) == 1);
	CHECK(ml_student_p_two_sided(INFINITY, 5) == 0);
	CHECK(ml_student_p_two_sided(1e200, 5) == 0);
	CHECK(ml_student_p_two_sided(2, INFINITY) == ml_normal_p_two_sided(2));
	CHECK(isnan(ml_student_p_two_sided(NAN, 5)) && isnan(ml_student_p_two_sided(1, 0)) &&
		  isnan(ml_student_p_two_sided(1, NAN)));
}

static void
f_tails(void)
{
	static const struct
	{
		double f, df1, df2, p;
	} cases[] = {
		{60, 3, 1000000.0, 8.8908749036882260369e-39},
		{0.1, 1, 1, 0.80501777095786334976},
		{0.1, 2, 9, 0.9058286849893999198},
		{0.1, 3, 10000.0, 0.96002650567795150791},
		{0.1, 10, 1000000000.0, 0.99982788436728002204},
		{0.1, 10000.0, 2, 0.99995414440385415815},
		{0.9, 1, 100, 0.34506874673658215787},
		{0.9, 2, 1000000.0, 0.40656998906176168246},
		{0.9, 10, 1, 0.68335708497998773852},
		{0.9, 100, 9, 0.63797971167627408936},
		{0.9, 10000.0, 1000000.0, 0.99999999999983671197},
		{0.999, 2, 1, 0.5775428155578900659},
		{0.999, 3, 9, 0.43668887800703973261},
		{0.999, 10, 10000.0, 0.44145830703774140731},
		{0.999, 100, 1000000000.0, 0.48400932308625708277},
		{1.001, 1, 9, 0.34320737991078339125},
		{1.001, 2, 10000.0, 0.36754856725271005175},
		{1.001, 3, 1000000000.0, 0.39116286697683289775},
		{1.001, 100, 2, 0.62810805691094598437},
		{1.001, 10000.0, 100, 0.51572746115058027289},
		{1.3, 1, 1000000000.0, 0.25421322387704329501},
		{1.3, 3, 2, 0.46257372794800711653},
		{1.3, 10, 100, 0.24087576166277289087},
		{1.3, 100, 1000000.0, 0.02351926148096242709},
		{4, 1, 2, 0.18350341907227396727},
		{4, 2, 100, 0.021321228555156703961},
		{4, 3, 1000000.0, 0.0073833865950736606225},
		{4, 100, 1, 0.38182643416911342802},
		{4, 10000.0, 9, 0.01314187816501321328},
		{40, 1, 1000000000.0, 2.5396296555866268578e-10},
		{40, 3, 2, 0.02448910751383990607},
		{40, 10, 100, 1.4874637468066977415e-30},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_DIGITS(ml_f_p_upper(cases[i].f, cases[i].df1, cases[i].df2), cases[i].p);
	CHECK(ml_f_p_upper(0, 3, 4) == 1 && ml_f_p_upper(-1, 3, 4) == 1);
	CHECK(ml_f_p_upper(INFINITY, 3, 4) == 0);
	CHECK(isnan(ml_f_p_upper(NAN, 3, 4)) && isnan(ml_f_p_upper(1, 0, 4)));
	/* T squared is F with one degree of freedom. */
	CHECK_DIGITS(ml_f_p_upper(9, 1, 12), ml_student_p_two_sided(3, 12));
}

static void
chi2_tails(void)
{
	static const struct
	{
		double x, df, p;
	} cases[] = {
		{3.84, 1, 0.050043521248705103189},
		{0.001, 1, 0.97477287936996038828},
		{1e-10, 3, 0.99999999999999973404},
		{10, 5, 0.075235246146512178722},
		{100, 10, 5.4497019829205293351e-17},
		{1000, 10, 1.8702907209159496958e-208},
		{1000, 1000, 0.49405285382923964195},
		{1200, 1000, 0.000012255942330622904168},
		{900, 1000, 0.98928276190871025844},
		{1000000.0, 1000000.0, 0.49981193680339449952},
		{1005000.0, 1000000.0, 0.00020767800946703002892},
		{980000.0, 1000000.0, 1.0},
		{2000, 500, 5.2244521350503878453e-178},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_DIGITS(ml_chi2_p_upper(cases[i].x, cases[i].df), cases[i].p);
	CHECK(ml_chi2_p_upper(0, 3) == 1 && ml_chi2_p_upper(INFINITY, 3) == 0);
	CHECK(isnan(ml_chi2_p_upper(NAN, 3)) && isnan(ml_chi2_p_upper(1, -1)));
	/* Z squared has one degree of freedom. */
	CHECK_DIGITS(ml_chi2_p_upper(6.25, 1), ml_normal_p_two_sided(2.5));
}

static void
normal_tails(void)
{
	static const struct
	{
		double z, two_sided;
	} cases[] = {
		{0, 1.0},
		{0.5, 0.61707507745197379272},
		{1.96, 0.049995790296440872426},
		{3, 0.0026997960632601890533},
		{6, 1.9731752900753962814e-9},
		{10, 1.5239706048321052132e-23},
		{20, 5.5072482372124673902e-89},
		{37, 1.1451142445049153645e-299},
		{38, 5.7708567201375686167e-316},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		double half = cases[i].two_sided / 2;

		CHECK_DIGITS(ml_normal_p_two_sided(cases[i].z), cases[i].two_sided);
		CHECK_DIGITS(ml_normal_p_two_sided(-cases[i].z), cases[i].two_sided);
		CHECK_DIGITS(ml_normal_cdf(-cases[i].z), half);
		CHECK_DIGITS(ml_normal_cdf(cases[i].z), 1 - half);
	}
	CHECK(ml_normal_cdf(INFINITY) == 1 && ml_normal_cdf(-INFINITY) == 0);
	CHECK(isnan(ml_normal_cdf(NAN)));
}

static void
links_are_stable_on_both_sides(void)
{
	CHECK(ml_sigmoid(0) == 0.5);
	CHECK_NEAR(ml_sigmoid(2), 0.880797077977882444, 1e-15);
	CHECK_DIGITS(ml_sigmoid(-40), 4.24835425529158899e-18);
	CHECK(ml_sigmoid(800) == 1 && ml_sigmoid(-800) == 0);
	CHECK(ml_sigmoid(-700) > 0);
	CHECK(ml_sigmoid(INFINITY) == 1 && ml_sigmoid(-INFINITY) == 0 && isnan(ml_sigmoid(NAN)));
	CHECK_NEAR(ml_log1p_exp(0), 0.693147180559945309, 1e-15);
	CHECK_DIGITS(ml_log1p_exp(-40), 4.24835425529158899e-18);
	CHECK(ml_log1p_exp(800) == 800 && ml_log1p_exp(-800) == 0);
	for (double eta = -30; eta <= 30; eta += 0.37)
	{
		/* The slope of one is the other. */
		double slope = (ml_log1p_exp(eta + 1e-5) - ml_log1p_exp(eta - 1e-5)) / 2e-5;

		CHECK_NEAR(slope, ml_sigmoid(eta), 1e-8);
		CHECK_NEAR(ml_sigmoid(eta) + ml_sigmoid(-eta), 1, 1e-15);
	}
}

int
main(void)
{
	RUN(student_tails);
	RUN(f_tails);
	RUN(chi2_tails);
	RUN(normal_tails);
	RUN(links_are_stable_on_both_sides);
	return unit_end();
}
