//! The cases, by topic, and the one list of them.

use crate::Placement;

mod config;
mod cycles;
mod events;
mod lifecycle;
mod mailboxes;
mod panics;
mod replace;
mod requests;
mod supervision;

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is about.
    pub topic: &'static str,
    /// What it shows.
    pub name: &'static str,
    pub(crate) run: fn(&dyn Placement),
}

/// Hands the list of cases to a macro, after what it is given for it. A case that is not listed is never used, which the
/// compiler says.
#[doc(hidden)]
#[macro_export]
macro_rules! each_case {
    ($then:ident $($args:tt)*) => { $then! { $($args)*
        lifecycle {
            dependencies_start_first_and_stop_last
            each_hears_of_each_exactly_once
            a_start_that_fails_stops_what_it_had_started_in_reverse
            a_constructor_that_panics_is_an_error_of_the_start
            a_stop_that_fails_lets_the_others_stop
            starting_what_runs_is_a_wrong_state
            a_module_is_stopped_and_started_by_itself
            a_needed_module_cannot_go_before_those_who_need_it
            what_a_module_needs_must_be_there_to_start_it
            a_stop_is_announced_before_anyone_stops
            a_module_that_stays_busy_ends_the_stop_and_runs_on
            who_is_inside_knows_that_a_stop_waits
            a_module_cannot_be_stopped_from_inside_of_it
            an_essential_module_cannot_go_while_the_system_runs
            what_is_added_must_fit_and_start_or_is_not_there
            building_reports_every_fault_at_once
            health_is_what_each_module_says
            a_runtime_that_goes_stops_what_runs_and_its_handles_say_so
        }
        events {
            priority_then_first_come
            a_type_a_topic_a_name_and_everything_are_heard
            a_topic_groups_events_that_keep_their_values
            failures_and_ignorance_are_counted_apart
            what_is_deferred_is_redelivered_by_poll
            too_much_that_is_deferred_is_counted_as_dropped
            what_reaches_a_module_busy_in_the_same_chain_comes_in_order_when_it_is_released
            a_full_ring_is_counted_as_dropped
            who_publishes_to_a_module_that_another_thread_is_in_waits_for_it
            a_subscription_is_paused_resumed_and_ended
            a_paused_bus_says_so_and_nobody_hears
            a_closure_of_a_module_lives_as_long_as_its_instance_runs
            a_handler_may_unsubscribe
            a_module_that_does_not_run_hears_nothing
            a_topic_needs_a_name
            statistics_count_what_was_published_and_who_heard_it
        }
        requests {
            typed_by_module_by_service_by_route_and_by_client
            equal_schemas_meet_whatever_their_types
            bytes_in_and_bytes_out
            a_raw_handler_takes_bytes_and_answers_in_its_own_words
            the_source_of_a_request_is_the_module_that_asks
            an_unknown_module_or_request_is_named
            a_mismatch_names_both_types
            bytes_that_are_not_what_they_should_be_are_refused
            a_module_that_does_not_run_says_where_it_stands
            a_handlers_error_is_the_callers
            who_lacks_a_permission_is_denied
            a_kept_client_serves_a_module
            a_broadcast_is_answered_in_the_order_of_registration
            who_does_not_wait_longer_is_told_so
            a_handler_knows_when_nobody_waits_for_it
            who_asks_for_others_waits_no_longer_than_they_do
            when_nobody_waits_any_more_nothing_is_begun
        }
        mailboxes {
            the_highest_priority_first_then_first_come
            the_answer_goes_to_the_reply_handler
            what_can_be_known_already_is_refused_at_once
            a_full_box_refuses_and_counts
            who_waits_too_long_is_told
            what_waits_for_a_module_that_goes_is_closed
        }
        panics {
            in_a_request_it_is_the_callers_error
            in_an_event_handler_the_others_hear_all_the_same
            what_needs_a_failed_module_may_go_and_it_too
            in_save_it_is_the_error_of_who_asked
            in_a_closure_it_is_the_closures_end
        }
        cycles {
            the_way_back_is_an_error_that_shows_the_chain
            who_shares_a_module_may_come_back_to_it
            calls_are_nested_to_the_limit_and_no_deeper
            threads_that_wait_for_each_other_get_an_error
            threads_that_need_one_module_take_turns
        }
        config {
            a_field_has_its_type_and_its_default
            a_missing_value_says_what_was_expected
            a_bad_value_says_key_value_and_what_was_expected
            a_key_that_no_field_declares_stops_the_build
            a_context_reads_its_own_keys
            of_two_providers_the_configuration_chooses
        }
        replace {
            state_goes_from_one_version_to_the_next
            who_needs_it_is_made_anew_or_stopped_and_started_around_it
            whatever_fails_the_old_version_serves_on
            the_way_back_is_in_order
            a_constructor_that_panics_is_an_error
            who_needs_it_and_fails_takes_it_back_too
            a_closure_goes_with_its_instance
            what_waits_for_the_old_version_comes_to_the_new_one
            state_that_the_next_version_cannot_take_is_refused
            what_does_not_fit_is_refused
            what_is_kept_of_the_old_version_finds_the_new_one
            a_failed_version_is_replaced_without_its_state
            saved_state_starts_a_later_runtime
            asked_for_from_inside_it_is_postponed_and_done_by_poll
            asked_for_from_a_module_that_it_does_not_concern_it_is_done_at_once
            who_comes_while_it_drains_waits_and_finds_the_successor
            who_is_inside_one_module_of_many_gets_through_to_another
            a_handler_that_does_not_return_is_named_and_the_old_version_serves_on
            no_update_and_no_event_is_lost_or_doubled
        }
        supervision {
            what_failed_is_made_anew_after_a_while
            each_further_restart_waits_twice_as_long_and_one_too_many_is_the_end
            failures_further_apart_than_the_period_do_not_add_up
            who_needs_it_is_stopped_and_started_again_with_it
            in_the_middle_only_those_above_stop
            who_can_do_without_it_is_told_and_goes_on
            a_restart_that_fails_is_a_failure_too
            health_is_asked_at_its_interval_and_who_is_ill_is_made_anew
            never_means_never
            by_default_it_waits_a_tenth_of_a_second
            a_runtime_that_was_stopped_starts_nothing_again
            who_was_stopped_by_hand_stays_stopped
            a_replacement_of_what_failed_has_a_record_of_its_own
            nothing_comes_back_without_what_it_needs
        }
    } };
}

macro_rules! table {
    ($($topic:ident { $($case:ident)* })*) => {
        /// Every case there is.
        pub const CASES: &[Case] =
            &[$($(Case { topic: stringify!($topic), name: stringify!($case), run: $topic::$case },)*)*];
    };
}
each_case! { table }
