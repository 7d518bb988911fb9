# What bench/run measures: a function for each workload.  Sourced by bench/compare.

workload_rfm() {
	local others=() columns="member, frequency, monetary, last_order"
	heading "RFM of every member"
	same "RFM as custmart documents it, in plain SQL" "TABLE rfm_custmart" "TABLE rfm_fair"
	# NTILE breaks ties at random, so its scores can only be compared with themselves.
	local buyers="SELECT $columns FROM rfm_custmart WHERE frequency > 0"
	same "frequency, monetary and last order, NTILE's statement" "$buyers" "SELECT $columns FROM rfm_ntile"
	same "segments of NTILE's scores" "SELECT score, segment FROM rfm_ntile" \
		"SELECT score, s.segment FROM rfm_ntile JOIN segment_of s USING (score)"
	same "monetary, NTILE's statement without a care for refunds" \
		"SELECT member, monetary FROM rfm_custmart" "SELECT member, monetary FROM rfm_ntile_any"
	same "RFM in FROM" "TABLE rfm_from" "TABLE rfm_custmart"
	same "who moved" "TABLE rfm_moves" "TABLE rfm_moves_fair"
	if [ -n "$node" ]; then
		start_duckdb
		same "RFM as documented, DuckDB" "TABLE rfm_custmart" "TABLE duckdb_fair"
		same "frequency, monetary and last order, DuckDB" "$buyers" "SELECT $columns FROM duckdb_ntile"
		others=(duckdb1:fair duckdb1:ntile worker:rfm_custmart duckdb2:fair duckdb2:ntile)
	fi

	alternate rfm_custmart floor book_only rfm_from rfm_moves rfm_ntile rfm_ntile_any rfm_fair rfm_moves_fair "${others[@]}"
	compare "rfm_book alone" book_only "floor" floor times 1.2
	compare "RFM, scored and labelled" rfm_custmart "floor" floor times 1.35
	compare "" rfm_custmart "NTILE and CASE" rfm_ntile faster 6
	compare "" rfm_custmart "the same, refunds as orders" rfm_ntile_any faster 6
	compare "" rfm_custmart "fair ties in plain SQL" rfm_fair faster
	compare "the same in FROM" rfm_from "floor" floor times
	compare "who moved between two dates" rfm_moves "fair ties in plain SQL, twice" rfm_moves_fair faster
	if [ -n "$node" ]; then
		compare "RFM, scored and labelled" rfm_custmart "DuckDB, one thread, fair ties" duckdb1:fair times 1
		compare "" rfm_custmart "DuckDB, one thread, NTILE and CASE" duckdb1:ntile times 1
		compare "with one worker" worker:rfm_custmart "DuckDB, two threads, fair ties" duckdb2:fair times 1
		compare "" worker:rfm_custmart "DuckDB, two threads, NTILE and CASE" duckdb2:ntile times 1
	fi
}

workload_group() {
	heading "One summary for each member"
	same "GROUP BY with rfm(), all that it holds" \
		"SELECT member, frequency(summary), monetary(summary), refunds(summary), first_order(summary), last_order(summary) FROM group_custmart" \
		"TABLE group_plain_all"
	same "GROUP BY with rfm(), rows and sums" \
		"SELECT member, frequency(summary) + refunds(summary), monetary(summary) FROM group_custmart" \
		"SELECT member, rows, monetary FROM group_plain"

	alternate group_custmart group_plain group_custmart_read group_plain_all
	compare "GROUP BY member, rfm()" group_custmart "max, count, sum" group_plain times 0.6
	compare "" group_custmart "all that it holds, plain SQL" group_plain_all times
	compare "the same, read at once" group_custmart_read "max, count, sum" group_plain times
}

workload_memory() {
	heading "Memory"
	note_memory floor book_only rfm_custmart rfm_from
	note allowed "32 + $members * 64 / 1048576.0"
	compare "memory: rfm_book alone" "book_only memory" "64 bytes a member + 32 MB" allowed times 1 MB
	compare "memory: RFM, scored and labelled" "rfm_custmart memory" "64 bytes a member + 32 MB" allowed times 1 MB
	compare "memory: the same in FROM" "rfm_from memory" "64 bytes a member + 32 MB" allowed times '' MB
}

workload_parallel() {
	heading "RFM with parallel workers"
	in_parallel "rfm_book" book_itself floor 1.6
	in_parallel "rfm_segments" segments_custmart '' 1.6
	in_parallel "RFM, scored and labelled" rfm_custmart '' 1.6
}

# The cost of merging, reading and checking the parts not included.
workload_merge() {
	local keys
	heading "Merging"
	same "eight parts" "SELECT rollup(book) FROM parts" "TABLE book_itself"
	keys=$(sql -c "TABLE parts_read") || exit
	alternate parts_merged parts_read
	note merging "(SELECT (m.median - r.median) * 1e9 / $keys FROM medians m, medians r
		WHERE m.side = '$workload parts_merged' AND r.side = '$workload parts_read')"
	note reading "(SELECT median * 1e9 / $keys FROM medians WHERE side = '$workload parts_read')"
	note allowed 10
	compare "merging eight books, for each key of each" merging "10 ns" allowed times 1 ns
	compare "reading and checking them" reading "merging" merging times '' ns
}

# Time in proportion to the number of groups, as array_agg takes it.
workload_stores() {
	local few=$((stores / 10))
	heading "A book for each of many groups"
	same "books of $stores stores" "SELECT store, member_count(book) FROM stores_custmart" \
		"SELECT store, count(DISTINCT customer_id) FROM store_orders GROUP BY store"
	alternate stores_custmart stores_plain few_stores_custmart few_stores_plain
	for side in custmart plain; do
		note "ten times $side" "(SELECT 10 * median FROM medians WHERE side = '$workload few_stores_$side')"
	done
	compare "rfm_book, $stores groups of 20 rows" stores_custmart "array_agg of the members" stores_plain times 2
	compare "" stores_custmart "ten times $few groups" "ten times custmart" times 2
	compare "array_agg, $stores groups of 20 rows" stores_plain "ten times $few groups" "ten times plain" times
}

workload_tier() {
	heading "Tiers"
	same "tiers" "TABLE tier_custmart" "TABLE tier_plain"
	alternate tier_custmart tier_plain
	compare "tier() inside a cohort" tier_custmart "rank, count and CASE" tier_plain faster
}

workload_lines() {
	local columns="member, frequency, monetary, last_order"
	heading "Order lines"
	same "order lines, count(DISTINCT)" "SELECT $columns FROM lines_custmart" "TABLE lines_distinct"
	same "order lines, GROUP BY twice" "SELECT $columns FROM lines_custmart" "TABLE lines_twice"
	alternate lines_custmart lines_distinct lines_twice
	compare "RFM of order lines, scored" lines_custmart "count(DISTINCT), unscored" lines_distinct faster
	compare "" lines_custmart "GROUP BY twice, unscored" lines_twice faster
}

# sizes TABLE: bytes of its column tags in a row, on average.
sizes() { sql -c "SELECT avg(pg_column_size(tags)) FROM $1"; }

# rows VIEW: the number of rows that the planner expects, and the actual one.
rows() {
	sql -c "EXPLAIN (ANALYZE, TIMING OFF, COSTS ON) SELECT * FROM $1" |
		sed -n '1s/.*cost=[^ ]* rows=\([0-9]*\).*(actual rows=\([0-9]*\).*/\1 \2/p'
}

workload_tags() {
	local tag estimate start
	heading "Tags"
	# One member in some hundred thousand has more than 32 tags.
	same "tags as arrays" "SELECT customer_id, s.tags ?& a.tags AND (tag_count(s.tags) = cardinality(a.tags) OR NOT is_exact(s.tags))
		FROM tag_sets s JOIN tag_arrays a USING (customer_id)" "SELECT customer_id, true FROM tag_arrays"
	same "one tag" "TABLE tags_has_custmart" "TABLE tags_has_array"
	same "four tags" "TABLE tags_query_custmart" "TABLE tags_query_array"
	alternate tags_has_custmart tags_has_array tags_has_any tags_count tags_query_custmart tags_query_array
	compare "tag test on every row" tags_has_custmart "text[] @>" tags_has_array faster 5
	compare "" tags_has_custmart "count(*) of the same table" tags_count times 1.5
	compare "" tags_has_custmart "= ANY (text[])" tags_has_any faster
	compare "query of four tags on every row" tags_query_custmart "text[] @>, && and NOT @>" tags_query_array faster
	compare "" tags_query_custmart "count(*) of the same table" tags_count times

	note bytes_custmart "$(sizes tag_sets)"
	note bytes_array "$(sizes tag_arrays)"
	note bytes_short_array "$(sizes short_tag_arrays)"
	compare "bytes of the tags of a member" bytes_custmart "text[], tags of 12 or 13 characters" bytes_array times 0.45 bytes
	compare "" bytes_custmart "text[], tags of 8 characters" bytes_short_array times '' bytes

	alternate tags_made_custmart tags_made_array tags_made_distinct
	compare "tag_agg(), GROUP BY member" tags_made_custmart "array_agg" tags_made_array faster
	compare "" tags_made_custmart "array_agg(DISTINCT)" tags_made_distinct faster

	start=$EPOCHREALTIME
	sql -c "CREATE INDEX ON tag_sets USING gin (tags)" -c "VACUUM ANALYZE tag_sets" || exit
	note build_custmart "$(since "$start")"
	start=$EPOCHREALTIME
	sql -c "CREATE INDEX ON tag_arrays USING gin (tags)" -c "VACUUM ANALYZE tag_arrays" || exit
	note build_array "$(since "$start")"
	note index_custmart "pg_relation_size('tag_sets_tags_idx') / 1048576.0"
	note index_array "pg_relation_size('tag_arrays_tags_idx') / 1048576.0"
	same "two tags and a NOT, by index" "TABLE tags_index_custmart" "TABLE tags_index_array"
	for tag in custmart array; do
		sql -c "EXPLAIN TABLE tags_index_$tag" | grep -q "Bitmap Index Scan" || fail "tags_index_$tag does not use its index"
		read -r -a estimate < <(rows tags_index_$tag) && [ ${#estimate[@]} = 2 ] || fail "no estimate of tags_index_$tag was found"
		note estimate_$tag "${estimate[0]}"
		note actual_$tag "${estimate[1]}"
	done
	alternate tags_index_custmart tags_index_array
	compare "two tags and a NOT through GIN" tags_index_custmart "text[] GIN" tags_index_array times 1
	compare "rows estimated" estimate_custmart "rows that came" actual_custmart within 2 rows
	compare "rows estimated, text[]" estimate_array "rows that came" actual_array within '' rows
	compare "GIN, built and analyzed" build_custmart "text[] GIN" build_array times
	compare "size of the index" index_custmart "text[] GIN" index_array times '' MB
}

workload_price() {
	local points flat others=()
	heading "Prices"
	same "items and groups, means" \
		"SELECT item, member_group, rows, mean, reference_rows, reference_mean FROM price_items_custmart" \
		"SELECT item, g.grp, g.n, g.mean, r.n, r.mean FROM price_plain g JOIN price_plain r USING (item)
		WHERE g.grp <> 'gold' AND r.grp = 'gold'"
	same "fair prices" "SELECT item, fair_price, rows FROM fair_prices(NULL::text, (SELECT * FROM price_book), 'gold')" \
		"SELECT item, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY price)::numeric, 3), count(*) FROM orders WHERE grp = 'gold' GROUP BY item"
	same "rank tests" "SELECT member_group, round((z * sqrt(design_effect))::numeric, 9) FROM price_custmart" "SELECT grp, round(z::numeric, 9) FROM price_ranks"
	same "price_gaps in FROM" "TABLE price_from" "TABLE price_custmart"
	same "price_gap_items in FROM" "TABLE price_items_from" "TABLE price_items_custmart"
	if [ -n "$clickhouse" ]; then
		# Its deviations are differences of binary fractions: of equal prices, or of one,
		# they may be NaN.
		clickhouse_answer price "item text, grp text, n bigint, mean float8, deviation float8"
		same "items and groups, ClickHouse" \
			"SELECT item, grp, p.n, abs(p.mean - c.mean) < 1e-9 * p.mean AND coalesce(abs(p.deviation - nullif(c.deviation, 'NaN')) < 1e-5, coalesce(p.deviation, 0) = 0)
			FROM price_plain p JOIN clickhouse_price c USING (item, grp)" "SELECT item, grp, n, true FROM price_plain"
		others=(clickhouse:price)
	fi

	alternate price_custmart price_floor price_items_custmart price_from price_items_from price_plain price_ranks "${others[@]}"
	compare "price_gaps" price_custmart "floor" price_floor times 1.4
	compare "" price_custmart "avg and stddev by item and group" price_plain faster 3
	compare "" price_custmart "the rank test in plain SQL" price_ranks faster
	compare "the same in FROM" price_from "floor" price_floor times
	compare "price_gap_items" price_items_custmart "floor" price_floor times 1.4
	compare "" price_items_custmart "avg and stddev by item and group" price_plain faster 3
	[ -z "$clickhouse" ] ||
		compare "" price_items_custmart "ClickHouse, avg and stddev by item and group" clickhouse:price times
	compare "the same in FROM" price_items_from "floor" price_floor times

	alternate price_members_custmart price_floor_members
	compare "price_gaps with members" price_members_custmart "floor, four columns" price_floor_members times 2.2

	alternate price_different_custmart price_floor_different
	compare "price_gaps, all prices different" price_different_custmart "floor" price_floor_different times 3

	# At the end the finished, flat value exists besides the book: shown separately.
	points=$(sql -c 'SELECT count(*) FROM (SELECT DISTINCT item, grp, price FROM orders) p') &&
		flat=$(sql -c 'SELECT length(pricebook_summary_send(pricebook)) FROM price_book') || exit
	note_memory price_floor price_book
	note bytes "(SELECT (median * 1048576 - $flat) / $points FROM medians WHERE side = '$workload price_book memory')"
	note bytes_with_value "(SELECT median * 1048576 / $points FROM medians WHERE side = '$workload price_book memory')"
	note allowed 48
	compare "memory of a distinct price of a group" bytes "48 bytes" allowed times 1 bytes
	compare "the same with the finished value" bytes_with_value "48 bytes" allowed times '' bytes

	in_parallel "price_gaps" price_custmart price_floor 1.6
}

# member_memory WHAT VIEW FLOOR: bytes per member of a book and of its finished value.
member_memory() {
	note_memory "$3" "$2"
	note "$2 peak" "(SELECT median * 1048576 / $members FROM medians WHERE side = '$workload $2 memory')"
	note "$2 stored" "(SELECT length(book::text) * 0.75 FROM $2) / $members"
	compare "memory of a member: $1" "$2 peak" "its bytes when stored" "$2 stored" times '' bytes
}

workload_retention() {
	local others=()
	heading "Retention"
	same "months, self-join" "SELECT cohort, periods_later, active FROM retention_custmart WHERE active > 0" "TABLE retention_join"
	same "months, window" "SELECT cohort, periods_later, active FROM retention_custmart WHERE active > 0" "TABLE retention_window"
	same "months with money" "SELECT cohort, periods_later, active, net FROM retention_net_custmart WHERE active > 0 OR net <> 0" \
		"SELECT * FROM retention_net_join WHERE active > 0 OR net <> 0"
	same "months in FROM" "TABLE retention_from" "TABLE retention_custmart"
	same "growth of revenue" "SELECT period, revenue, new_revenue, resurrected, expansion, contraction, churned, excess_refunds FROM retention_revenue_custmart WHERE churned IS NOT NULL" \
		"SELECT * FROM retention_revenue_join WHERE period < (SELECT date_trunc('month', max(ordered_at) AT TIME ZONE 'UTC') FROM orders)"
	if [ -n "$clickhouse" ]; then
		clickhouse_answer retention "cohort date, periods_later int, active bigint"
		same "months, ClickHouse" "SELECT cohort, periods_later, active FROM retention_custmart WHERE active > 0" "TABLE clickhouse_retention"
		others=(clickhouse:retention)
	fi

	alternate retention_custmart retention_floor retention_from retention_join retention_window retention_net_custmart \
		retention_net_join retention_revenue_custmart retention_revenue_join "${others[@]}"
	compare "monthly retention triangle" retention_custmart "floor, two columns" retention_floor times 1.6
	compare "" retention_custmart "self-join" retention_join faster 8
	compare "" retention_custmart "window function" retention_window faster
	[ -z "$clickhouse" ] || compare "" retention_custmart "ClickHouse, one thread" clickhouse:retention times
	compare "the same in FROM" retention_from "floor, two columns" retention_floor times
	compare "the same with money" retention_net_custmart "self-join" retention_net_join faster
	compare "growth of revenue" retention_revenue_custmart "full join" retention_revenue_join faster
	member_memory "a retention_book of months" retention_months retention_floor

	in_parallel "retention triangle" retention_custmart retention_floor 1.6
}

workload_funnel() {
	local others=()
	heading "Funnel"
	same "steps, window functions" "SELECT step, members FROM funnel_custmart" "TABLE funnel_window"
	same "steps, other orders left out" "TABLE funnel_steps_custmart" "TABLE funnel_custmart"
	same "steps in FROM" "TABLE funnel_from" "TABLE funnel_custmart"
	if [ -n "$clickhouse" ]; then
		clickhouse_answer funnel "step int, members bigint"
		same "steps, windowFunnel of ClickHouse" "SELECT step, members FROM funnel_custmart" "TABLE clickhouse_funnel"
		others=(clickhouse:funnel)
	fi

	alternate funnel_custmart funnel_steps_custmart funnel_floor funnel_from funnel_window "${others[@]}"
	compare "funnel of 3 steps" funnel_custmart "window functions" funnel_window faster 5
	compare "" funnel_custmart "floor" funnel_floor times
	[ -z "$clickhouse" ] || compare "" funnel_custmart "ClickHouse, one thread, windowFunnel" clickhouse:funnel times 1
	compare "the same in FROM" funnel_from "floor" funnel_floor times
	compare "the same, other orders left out" funnel_steps_custmart "window functions" funnel_window faster 5
	member_memory "a funnel_book, ten orders each" funnel_events funnel_floor

	in_parallel "funnel of 3 steps" funnel_custmart funnel_floor 1.6
}

workload_clv() {
	heading "Lifetime value"
	same "what a fit sees of every member" \
		"SELECT member, repeats, last_age, age, round(mean_spend, 9) FROM clv_summaries_custmart" \
		"SELECT member, repeats, last_age, age, round(mean_spend, 9) FROM clv_summaries_plain"
	alternate clv_fit_custmart clv_members_custmart clv_summaries_custmart clv_book clv_summaries_plain floor rfm_custmart
	compare "retention_book of days, with money" clv_book "floor" floor times
	compare "clv_fit of all orders" clv_fit_custmart "its book" clv_book times
	compare "" clv_fit_custmart "what a fit elsewhere begins with, in plain SQL" clv_summaries_plain faster
	compare "clv_summaries" clv_summaries_custmart "the same in plain SQL" clv_summaries_plain faster
	compare "clv_members, a year ahead" clv_members_custmart "rfm_members" rfm_custmart times
}

workload_campaign() {
	heading "Campaigns"
	same "uplifts" "SELECT measure, round(uplift::numeric, 9) FROM campaign_custmart WHERE measure LIKE '%spend'" \
		"SELECT measure, round(uplift::numeric, 9) FROM campaign_plain"
	same "standard error" "SELECT round(std_error::numeric, 9) FROM campaign_custmart WHERE measure = 'spend'" \
		"SELECT round(std_error::numeric, 9) FROM campaign_plain WHERE measure = 'spend'"
	alternate campaign_custmart campaign_floor campaign_plain
	compare "campaign, with spending before" campaign_custmart "floor" campaign_floor times
	compare "" campaign_custmart "avg, var_samp and regr_sxy" campaign_plain faster
}

workload_contact() {
	heading "Contact pressure"
	same "who may be written to" "SELECT member, channel, contacts, cap, is_allowed, next_allowed, is_opted_out FROM contact_allowances_custmart" \
		"TABLE contact_allowances_plain"
	same "fatigue" "SELECT prior, contacts, responses, opt_outs, members, CASE WHEN prior > 0 THEN round(rate_ratio::numeric, 9) END FROM contact_fatigue_custmart" \
		"SELECT prior, contacts, responses, opt_outs, members, round(rate_ratio::numeric, 9) FROM contact_fatigue_plain"
	alternate contact_floor contact_allowances_custmart contact_allowances_plain contact_fatigue_custmart contact_fatigue_plain
	compare "contact_allowances" contact_allowances_custmart "floor" contact_floor times 3
	compare "" contact_allowances_custmart "windows and lateral joins" contact_allowances_plain faster 6
	compare "contact_fatigue" contact_fatigue_custmart "floor" contact_floor times
	compare "" contact_fatigue_custmart "self-join" contact_fatigue_plain faster 8
	member_memory "a contact_book, ten rows each" contact_made contact_floor
}

workload_audience() {
	local members=$((rows / 2))
	heading "Audiences"
	same "who gets what" "TABLE audience_custmart" "TABLE audience_plain"
	same "who gets what, in FROM" "TABLE audience_from" "TABLE audience_custmart"
	same "who gets what, members in no order" "TABLE audience_shuffled" "TABLE audience_custmart"
	same "how audiences overlap" "SELECT audiences, members, at_least, round(share::numeric, 9) FROM audience_overlaps_custmart" \
		"SELECT audiences, members, at_least, round(share::numeric, 9) FROM audience_overlaps_plain"
	alternate audience_floor audience_made audience_custmart audience_from audience_made_shuffled audience_shuffled \
		audience_overlaps_custmart audience_overlaps_plain audience_plain
	compare "audience_book alone" audience_made "floor" audience_floor times
	compare "book and plan, five audiences" audience_custmart "floor" audience_floor times 3
	compare "" audience_custmart "row_number for each audience" audience_plain faster
	compare "the same in FROM" audience_from "floor" audience_floor times
	compare "audience_book alone, members in no order" audience_made_shuffled "floor" audience_floor times
	compare "book and plan, members in no order" audience_shuffled "floor" audience_floor times 3
	compare "audience_overlaps" audience_overlaps_custmart "GROUP BY five conditions" audience_overlaps_plain times
	member_memory "an audience_book" audience_made audience_floor
}

# run_once SIDE STATEMENT: a statement that writes, timed by the server.
run_once() {
	local text
	text=$(sql -c "EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF) $2") || exit
	note "$1" "$(sed -n 's/^Execution Time: \(.*\) ms$/\1 \/ 1000/p' <<<"$text")"
}

# write_singly SIDE TABLE: seconds of an insert of one row, alone in its transaction and flushed to disk.
write_singly() {
	local script=$dir/$2.sql latency
	echo "INSERT INTO $2 VALUES (0, 1 + (random() * $members)::bigint, '2025-12-31Z', 5);" >"$script"
	latency=$("$bindir/pgbench" --no-vacuum --time 5 --file "$script" bench 2>/dev/null |
		sed -n 's/^latency average = \(.*\) ms$/\1/p') && [ -n "$latency" ] || fail "pgbench did not insert"
	note "$1" "$latency / 1000"
}

# Alternately, so that the mart is about as large and as scattered for all of them.
workload_mart() {
	local run bulk="SELECT -n, 1 + (dice(n, 11) * $members)::bigint, '2025-12-31Z', n FROM generate_series(1, $((rows / 10))) n"
	heading "A member mart"
	for ((run = 1; run <= repeat; run++)); do
		sql -c "SELECT mart_touch(1000)" >/dev/null || exit
		run_once one_in_1000 "SELECT refresh_member_mart('mart')"
		sql -c "SELECT mart_touch(100)" >/dev/null || exit
		run_once one_in_100 "SELECT refresh_member_mart('mart')"
		sql -c "SELECT mart_touch(10)" >/dev/null || exit
		run_once one_in_10 "SELECT refresh_member_mart('mart')"
		run_once rebuilt "SELECT rebuild_member_mart('mart')"
		measure mart_plain
		run_once bulk_with "INSERT INTO mart_orders $bulk"
		run_once bulk_without "INSERT INTO plain_orders $bulk"
		sql -c "DELETE FROM mart_orders WHERE order_id < 0" -c "DELETE FROM plain_orders WHERE order_id < 0" \
			-c "SELECT refresh_member_mart('mart')" -c "VACUUM ANALYZE mart_orders, plain_orders, mart, mart_changes" >/dev/null || exit
	done
	same "a member mart and GROUP BY" "TABLE mart" "TABLE mart_plain"
	sql -c "ALTER SYSTEM SET fsync = on" -c "SELECT pg_reload_conf()" -c CHECKPOINT >/dev/null || exit
	for ((run = 1; run <= repeat; run++)); do
		write_singly single_with mart_orders
		write_singly single_without plain_orders
	done
	sql -c "ALTER SYSTEM RESET fsync" -c "SELECT pg_reload_conf()" >/dev/null || exit
	compare "refresh, 0.1 % of the members" one_in_1000 "rebuild" rebuilt times 0.03
	compare "refresh, 1 %" one_in_100 "rebuild" rebuilt times 0.15
	compare "refresh, 10 %" one_in_10 "rebuild" rebuilt times
	compare "rebuild" rebuilt "GROUP BY alone" mart_plain times
	compare "bulk insert of a tenth of the orders" bulk_with "without a mart" bulk_without times
	compare "insert of one order, flushed to disk" single_with "without a mart" single_without times 1.1
}

workload_checks() {
	heading "Checks of a table of orders"
	same "rows and money of every check" \
		"SELECT check_name, rows, trim_scale(amount) FROM checks_custmart WHERE check_name NOT IN ('after_as_of', 'mixed_currency')" \
		"SELECT check_name, rows, trim_scale(amount) FROM checks_plain"
	alternate checks_custmart checks_book checks_floor checks_plain
	compare "check_book alone" checks_book "floor" checks_floor times
	compare "21 checks" checks_custmart "floor" checks_floor times 3
	compare "" checks_custmart "a statement for each of 19 checks" checks_plain faster 4
}

workload_basket() {
	heading "Baskets"
	same "what goes with what" "SELECT item, other, rank, together, item_baskets, other_baskets, round(lift::numeric, 9), round(cosine::numeric, 9) FROM basket_custmart" \
		"SELECT item, other, rank, together, item_baskets, other_baskets, round(lift::numeric, 9), round(cosine::numeric, 9) FROM basket_plain"
	alternate basket_custmart basket_sets basket_floor basket_plain
	compare "basket_book alone" basket_sets "floor" basket_floor times
	compare "item_affinities, with tests" basket_custmart "floor" basket_floor times 4
	compare "" basket_custmart "self-join, without tests" basket_plain faster 30
}

# Whatever the size asked for, so that the growth of each release can be compared.
workload_scaling() {
	local millions
	for millions in 1 2 5 10 20; do
		workload=scaling_$((millions * 1000000))
		sql -v rows=$((millions * 1000000)) -v members=$((millions * 100000)) -f bench/data/scaling.sql || exit
		alternate scaling_floor scaling_book scaling_members
	done
}
