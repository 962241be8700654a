#include "pnc/phy_choice.h"

#include "pnc/event_loss.h"

#define QDB 4 /* quarters of 1 dB */
#define PERCENT(n) ((n)*PNC_EVENT_LOSS_ALL / 100u)

/* One PHY. */
struct level {
	uint8_t phy;
	int16_t needed_qdb; /* received power that it needs */
	uint16_t loss_most; /* share of failed events from which on the next slower PHY carries more */
};

/* Fast to slow. The powers are the nRF52840's sensitivities (-92, -95, -99, -103 dBm), and the 3 dB more that a full
 * packet needs. Below that the change itself becomes a danger: its instant is six events ahead, and a connection whose
 * peer hears of it too late ends. S2 carries half of 1M, which carries half of 2M; an event that fails costs all its
 * packets, so a fifth of failed events costs half of the goodput. S8 carries a third of S2. */
static const struct level levels[] = {
	{PNC_PHY_LE_2M, -89 * QDB, PERCENT(20u)},
	{PNC_PHY_LE_1M, -92 * QDB, PERCENT(20u)},
	{PNC_PHY_CODED_S2, -96 * QDB, PERCENT(40u)},
	{PNC_PHY_CODED_S8, -100 * QDB, PERCENT(100u)},
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

/* Power above what a faster PHY needs, for which it is tried. */
#define RESERVE_QDB (3 * QDB)
/* Up to so much above what the present PHY needs, failed events are put down to the power. */
#define WEAK_QDB (12 * QDB)
/* With more failed events than this a faster PHY is tried only where the power cannot be the reason: its packets are
 * shorter and meet fewer of other transmitters'. */
#define LOSS_LOW PERCENT(6u)
#define STRONG_QDB (WEAK_QDB + RESERVE_QDB)
/* With more failed events the connection may soon end: only the slowest PHY is left. */
#define LOSS_SEVERE PERCENT(60u)
#define DOWN_WAIT_US 300000u
#define UP_WAIT_US 1000000u
#define PATIENCE_MOST 4u
/* A faster PHY that has lasted for so long was no mistake. */
#define PROVEN_US 10000000u

void pnc_phy_choice_init(struct pnc_phy_choice *c, uint32_t now_us)
{
	c->changed_us = now_us;
	c->measured = false;
	c->rose = false;
	c->asked = PNC_PHY_KEEP;
	c->patience = 0;
}

/* Take a measurement into the average. */
static void smooth(struct pnc_phy_choice *c, int8_t rssi_dbm)
{
	int16_t rssi_qdb = (int16_t)(rssi_dbm * QDB);
	if (rssi_dbm == PNC_RSSI_UNKNOWN) {
		return;
	}
	if (c->measured) {
		rssi_qdb = (int16_t)((c->rssi_qdb + rssi_qdb) / 2);
	}
	c->rssi_qdb = rssi_qdb;
	c->measured = true;
}

static uint8_t level_of(uint8_t phy)
{
	uint8_t level = 0;
	while (level + 1u < LEVELS && levels[level].phy != phy) {
		level++;
	}
	return level;
}

/* Return the level that the power and the failed events allow at most, `level` or a slower one. */
static uint8_t lower(const struct pnc_phy_choice *c, uint8_t level, uint8_t last, uint16_t loss)
{
	uint8_t next = level;
	while (c->measured && next < last && c->rssi_qdb < levels[next].needed_qdb) {
		next++;
	}
	if (c->measured && c->rssi_qdb >= levels[level].needed_qdb + WEAK_QDB) {
		return next;
	}
	if (loss > LOSS_SEVERE) {
		return last;
	}
	return next == level && level < last && loss > levels[level].loss_most ? (uint8_t)(level + 1u) : next;
}

/* Return the fastest level that the power has reserve for, `level` or a faster one. */
static uint8_t higher(const struct pnc_phy_choice *c, uint8_t level, uint16_t loss)
{
	int16_t reserve_qdb = loss > LOSS_LOW ? STRONG_QDB : RESERVE_QDB;
	uint8_t next = c->measured ? 0 : level;
	while (next < level && c->rssi_qdb < levels[next].needed_qdb + reserve_qdb) {
		next++;
	}
	return next;
}

uint8_t pnc_phy_choice_next(struct pnc_phy_choice *c, uint32_t now_us, uint8_t phy, uint8_t slowest, int8_t rssi_dbm,
			    uint16_t loss)
{
	uint32_t passed_us = now_us - c->changed_us;
	uint8_t last = level_of(slowest);
	uint8_t level = level_of(phy);
	smooth(c, rssi_dbm);
	bool followed = c->asked == PNC_PHY_KEEP || c->asked == phy;
	if (c->rose && followed && passed_us >= PROVEN_US) {
		c->patience = 0;
		c->rose = false;
	}
	uint8_t next = lower(c, level, last, loss);
	bool down = next > level;
	if (!down) {
		next = higher(c, level, loss);
	}
	uint32_t wait_us = down && followed ? DOWN_WAIT_US : UP_WAIT_US << c->patience;
	if (next == level || passed_us < wait_us) {
		return PNC_PHY_KEEP;
	}
	if (((down && c->rose) || !followed) && c->patience < PATIENCE_MOST) {
		c->patience++;
	}
	c->rose = !down;
	c->asked = levels[next].phy;
	c->changed_us = now_us;
	return c->asked;
}
